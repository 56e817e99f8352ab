package profile

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	oldWebhookKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	newWebhookKey = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

// The example of the specification's own library (its webhook_test.go): the signature is
// that of the other implementations too.
func TestWebhookExample(t *testing.T) {
	w := webhook{func() ([]byte, error) { return []byte(oldWebhookKey + "\n"), nil }}
	r := Request{Header: http.Header{IdempotencyKey: {"msg_p5jXN8AQM9LWM0D4loKWxJek"}}, Body: []byte(`{"test": 2432232314}`)}
	if err := w.Sign(&r, time.Unix(1614265330, 0)); err != nil {
		t.Fatal(err)
	}
	if got := r.Header.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("signature %s", got)
	}
}

// A receiver that knows one of the keys takes the request, and no other does. Each attempt
// has its own time under the same id.
func TestWebhookSigns(t *testing.T) {
	now := time.Now()
	o := Options{SigningKey: newWebhookKey, Secret: func() ([]byte, error) { return []byte(newWebhookKey + "\r\n" + oldWebhookKey), nil }}
	w, err := newWebhook(o)
	if err != nil {
		t.Fatal(err)
	}
	for attempt := range 3 {
		at := now.Add(time.Duration(attempt-1) * time.Second)
		r := Request{Header: http.Header{IdempotencyKey: {"0a1b.1.2#3"}}, Body: []byte("[\"\u00e9.\"]")}
		if err := w.Sign(&r, at); err != nil {
			t.Fatal(err)
		}
		for key, known := range map[string]bool{oldWebhookKey: true, newWebhookKey: true, "whsec_" + strings.Repeat("QUJD", 8): false} {
			receiver, err := standardwebhooks.NewWebhook(key)
			if err != nil {
				t.Fatal(err)
			}
			if err := receiver.Verify(r.Body, r.Header); known != (err == nil) {
				t.Errorf("key %s: %v", key, err)
			}
			if err := receiver.Verify(append(r.Body, ' '), r.Header); !errors.Is(err, standardwebhooks.ErrNoMatchingSignature) {
				t.Errorf("another body: %v", err)
			}
		}
		if id := r.Header.Get("webhook-id"); id != "0a1b-1-2-3" {
			t.Errorf("webhook-id %s", id)
		}
		if got := r.Header.Get("webhook-timestamp"); got != strconv.FormatInt(at.Unix(), 10) {
			t.Errorf("webhook-timestamp %s", got)
		}
	}
	old := Request{Header: http.Header{IdempotencyKey: {"a"}}}
	if err := w.Sign(&old, now.Add(-6*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if receiver, _ := standardwebhooks.NewWebhook(newWebhookKey); !errors.Is(receiver.Verify(nil, old.Header), standardwebhooks.ErrMessageTooOld) {
		t.Error("a signature lasts for ever")
	}
}

func TestWebhookKeys(t *testing.T) {
	none, err := newWebhook(Options{})
	r := Request{Header: http.Header{}}
	if err := errors.Join(err, none.Sign(&r, time.Now())); err != nil || len(r.Header) > 0 {
		t.Errorf("without a key: %v, %v", r.Header, err)
	}
	for _, text := range []string{
		"hunter2", "whsec_", "whsec_hunter2", "whsec_" + strings.Repeat("A", 28), "whsec_" + strings.Repeat("AAAA", 22), strings.TrimPrefix(oldWebhookKey, "whsec_"),
		oldWebhookKey + " hunter2", "whsk_" + strings.Repeat("AAAA", 8),
	} {
		if _, err := newWebhook(Options{SigningKey: imapclient.Secret(text)}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "\n", "hunter2"} {
		w, err := newWebhook(Options{SigningKeyFile: "f", Secret: func() ([]byte, error) { return []byte(text), nil }})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Sign(&r, time.Now()); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("file with %q: %v", text, err)
		}
	}
	gone := errors.New("gone")
	if err := (webhook{func() ([]byte, error) { return nil, gone }}).Sign(&r, time.Now()); !errors.Is(err, gone) {
		t.Errorf("no file: %v", err)
	}
}
