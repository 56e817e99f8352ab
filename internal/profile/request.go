package profile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// OwnRequest is a request of the user's own.
type OwnRequest struct {
	Method      string `yaml:"method"`       // "": POST
	Path        string `yaml:"path"`         // to add to the URL's, see Path
	ContentType string `yaml:"content_type"` // of JSON or a form; "": application/json
	Body        string `yaml:"body"`         // a text/template over the record; "": none
	Accept      []int  `yaml:"accept"`       // statuses that mean "taken", beside 2xx
}

// ownRequest sends one request a complaint, for receivers that have an API instead of a
// webhook.
type ownRequest struct {
	webhook
	OwnRequest
	path Path
	body *body // nil: none
}

// notTaken are statuses that never mean "taken": they are about the config, or pass.
var notTaken = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired,
	http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
}

func newRequest(o Options) (Profile, error) {
	if o.Own == nil {
		return nil, errors.New("request is missing; write what to send")
	}
	p := ownRequest{OwnRequest: *o.Own}
	p.Method, p.ContentType = cmp.Or(p.Method, http.MethodPost), cmp.Or(p.ContentType, "application/json")
	if !httpguts.ValidHeaderFieldName(p.Method) || p.Method != strings.ToUpper(p.Method) {
		return nil, errors.New("request.method is no method in capitals")
	}
	for i, status := range p.Accept {
		if status < 300 || status > 499 || slices.Contains(notTaken, status) {
			return nil, fmt.Errorf("request.accept[%d] is no status that can mean that a complaint is taken", i)
		}
	}
	var err error
	if p.webhook, err = newWebhook(o); err != nil {
		return nil, err
	}
	if p.path, err = ParsePath(p.Path); err != nil {
		return nil, fmt.Errorf("request.path %w", err)
	}
	if p.Body != "" {
		if p.body, err = newBody(p.Body, p.ContentType); err != nil {
			return nil, fmt.Errorf("request.%w", err)
		}
	}
	return p, nil
}

// Takes asks for every value that the request has.
func (p ownRequest) Takes(item *delivery.Item) (skip string) {
	if skip := actable(item); skip != "" {
		return skip
	}
	_, err := p.write(item)
	if missing := (errMissing{}); errors.As(err, &missing) {
		return skipNoSuchKey + missing.action
	}
	return ""
}

func (p ownRequest) Request(items []delivery.Item) (Request, int, error) {
	r, err := p.write(&items[0])
	return r, 1, err
}

func (p ownRequest) write(item *delivery.Item) (Request, error) {
	r := Request{Method: p.Method}
	f, err := fieldsOf(item)
	if err != nil {
		return r, err
	}
	record, err := item.Record()
	if err != nil {
		return r, err
	}
	if address(record) == "" { // one of several, or what is none
		delete(f, "original_rcpt_to")
	}
	path, missing, err := p.path.expand(f)
	if missing != "" {
		return r, errMissing{missing}
	} else if err != nil {
		return r, fmt.Errorf("request.path: %w", err)
	}
	r.Path = path
	if p.body == nil {
		return r, nil
	}
	if r.Body, err = p.body.execute(f); errors.As(err, new(errMissing)) {
		return r, err
	} else if err != nil {
		return r, fmt.Errorf("request.body %w", plain(err))
	}
	r.Header = http.Header{"Content-Type": {p.ContentType}}
	return r, nil
}

// Judge takes the statuses of the config too. A success that says in its body that it is
// none, as ZoneMTA's does, is none.
func (p ownRequest) Judge(a Answer, n int) error {
	if slices.Contains(p.Accept, a.Status) {
		return nil
	}
	if err := Status(a, n); err != nil {
		return err
	}
	var answer struct {
		Error   any   `json:"error"`
		Success *bool `json:"success"`
	}
	if json.Unmarshal(a.Body, &answer) != nil {
		return nil // it has no such keys
	}
	if answer.Error != nil && answer.Error != false && answer.Error != "" || answer.Success != nil && !*answer.Success {
		return fmt.Errorf("answered %s", a)
	}
	return nil
}
