package oauth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	browserTime = 15 * time.Minute // for the approval
	visitTime   = 10 * time.Second // of one request from the browser
	farewell    = time.Second      // for the browser's open connections at the end
)

// visit is the result that the browser delivers (RFC 6749 section 4.1.2).
type visit struct {
	code, refused string
}

// browser asks for approval in a browser, which returns to this machine (RFC 8252
// section 7.3), with the proof key of RFC 7636.
func (s *Source) browser(ctx context.Context, app *oauth2.Config, prompt func(Prompt)) (*oauth2.Token, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("oauth: %w", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	host := "127.0.0.1"
	if s.config.Provider == Microsoft {
		host = "localhost" // Microsoft ignores the port for this host only
	}
	app.RedirectURL = fmt.Sprintf("http://%s:%d/", host, port)
	state, verifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	visits := make(chan visit, 1)
	server := &http.Server{
		Handler:     comeBack(state, visits),
		ReadTimeout: visitTime, WriteTimeout: visitTime, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener)
	}()
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_ = server.Shutdown(ending) // after the answer to the browser
		_ = server.Close()
		<-served
	}()

	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier)}
	if s.config.Provider == Google { // otherwise it gives a refresh token only once
		options = append(options, oauth2.AccessTypeOffline, oauth2.ApprovalForce)
	}
	expires := time.Now().Add(browserTime)
	prompt(Prompt{URL: app.AuthCodeURL(state, options...), Port: port, Expires: expires})
	late := time.NewTimer(time.Until(expires))
	defer late.Stop()
	var back visit
	select {
	case back = <-visits:
	case <-late.C:
		return nil, ErrExpired
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	switch {
	case back.refused == "access_denied":
		return nil, ErrDenied
	case back.refused != "":
		return nil, &Error{Code: scrub(back.refused)}
	}
	token, err := app.Exchange(s.within(ctx), back.code, oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, clean(err, s.secrets(app, imapclient.Secret(back.code), imapclient.Secret(verifier))...)
	}
	return token, nil
}

// comeBack accepts the first visit with the right state. Others have no effect: anybody
// on this machine can make them.
func comeBack(state string, visits chan<- visit) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Connection", "close")
		v := visit{query.Get("code"), query.Get("error")}
		if r.URL.Path != "/" || subtle.ConstantTimeCompare([]byte(query.Get("state")), []byte(state)) != 1 || v == (visit{}) {
			http.Error(w, "This is not the address to which the provider redirects.", http.StatusBadRequest)
			return
		}
		select {
		case visits <- v:
		default: // a second one
		}
		fmt.Fprintln(w, "fblwatch continues by itself. You can close this window.")
	})
}
