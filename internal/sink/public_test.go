package sink

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/remote"
)

// However an address of our own is written, and also if only a name leads to it, there is
// no connection.
func TestPublicClientRefuses(t *testing.T) {
	var connections atomic.Int32
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client := publicClient(5*time.Second, remote.IsPublic)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1.2.3", "[::]"} {
		answer, err := client.Get("http://" + host + ":" + port + "/")
		if err == nil {
			answer.Body.Close()
		}
		if !errors.Is(err, errNotPublic) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// A redirect and a proxy of the environment would lead elsewhere.
func TestPublicClientGoesNowhereElse(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	t.Setenv("HTTP_PROXY", other.URL)
	t.Setenv("HTTPS_PROXY", other.URL)
	location := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "x"})
		if r.Header.Get("Cookie") != "" {
			t.Error("a cookie came back")
		}
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	client := publicClient(5*time.Second, netip.Addr.IsLoopback)
	for _, location = range []string{other.URL, other.URL, "", "/100%?token=x", "http://[::1"} { // the last two are none
		answer, err := client.Post(server.URL, "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("answered %s", answer.Status)
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}
}
