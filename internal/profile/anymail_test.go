package profile

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// received is what testdata/receivers.py says of a request.
type received struct {
	Status   int
	Verified *bool
	Events   []receivedEvent
}

type receivedEvent struct {
	Type      string
	Recipient string
	MessageID string `json:"message_id"`
	Metadata  map[string]string
	Timestamp int64
	EventID   string `json:"event_id"`
}

// TestReceivers: django-anymail gives an application the complaint with the record's
// values, hostile ones too, and refuses a request that was changed; SendGrid's own
// library verifies the signature. Package and version are in scripts/receivers.
func TestReceivers(t *testing.T) {
	python := os.Getenv("FBLWATCH_RECEIVERS")
	if python == "" {
		t.Skip("FBLWATCH_RECEIVERS names no Python with the receivers; make receivers does")
	}
	const secret = "key-1"
	private := newKey(t, elliptic.P256())
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hostile := aComplaint()
	hostile.OriginalRcptTo = "o'brien+{}\\%26&@example.org"
	hostile.Original.Subject = "\"}]\\ \u2028 <b> %s {{x}}"
	hostile.Identity.Tenant, hostile.Identity.MessageID = "a\",\"b\":\"c\\ü", "id\"}\n"
	hostile.OriginalMailFrom = "\"a b\"@example.com"

	type request struct {
		ESP       string            `json:"esp"`
		Headers   map[string]string `json:"headers"`
		Body      string            `json:"body"`
		PublicKey string            `json:"public_key"`
		Secret    string            `json:"secret"`
	}
	var stdin bytes.Buffer
	var names []string
	e := json.NewEncoder(&stdin)
	records := []string{"plain", "hostile"}
	esps := []string{"mailgun", "postmark", "sendgrid", "ses", "sparkpost"}
	for _, record := range records {
		r := aComplaint()
		if record == "hostile" {
			r = hostile
		}
		for _, esp := range esps {
			o := receivers[esp]
			o.Metadata = map[string]string{"tenant": "identity.tenant", "x": "original_mail_from"}
			switch esp {
			case "mailgun":
				o.Secret = key(secret)
			case "sendgrid":
				o.SigningKeyFile, o.Secret = "f", key(pkcs8(private))
			}
			p := mustNew(t, o)
			sent := mustRequest(t, p, r)
			if err := p.Sign(&sent, time.Now()); err != nil {
				t.Fatal(err)
			}
			c := request{esp, map[string]string{}, string(sent.Body), base64.StdEncoding.EncodeToString(der), secret}
			for name := range sent.Header {
				c.Headers[name] = sent.Header.Get(name)
			}
			names = append(names, record+" "+esp)
			if err := e.Encode(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What was changed is refused by those that check.
	for _, esp := range []string{"mailgun", "sendgrid", "ses"} {
		for _, line := range strings.Split(stdin.String(), "\n")[:len(esps)] {
			var c request
			if err := json.Unmarshal([]byte(line), &c); err != nil {
				t.Fatal(err)
			}
			if c.ESP != esp {
				continue
			}
			c.Secret += "x"
			c.Body = strings.Replace(strings.Replace(c.Body, "spamreport", "delivered", 1), `"MessageId":"`, `"MessageId":"x`, 1)
			names = append(names, "changed "+esp)
			if err := e.Encode(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	command := exec.Command(python, "testdata/receivers.py")
	command.Stdin, command.Stderr = &stdin, os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(strings.Lines(string(out)))
	if len(lines) != len(names) {
		t.Fatalf("%d answers to %d requests", len(lines), len(names))
	}
	for i, name := range names {
		t.Run(name, func(t *testing.T) {
			var got received
			if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
				t.Fatalf("%v in %s", err, lines[i])
			}
			record, esp, _ := strings.Cut(name, " ")
			if record == "changed" {
				if got.Status != 400 || len(got.Events) > 0 || got.Verified != nil && *got.Verified {
					t.Errorf("it is taken: %s", lines[i])
				}
				return
			}
			r := aComplaint()
			if record == "hostile" {
				r = hostile
			}
			item := itemOf(r)
			want := receivedEvent{
				Type: "complained", Recipient: r.OriginalRcptTo, MessageID: r.Identity.MessageID, Timestamp: r.ReportedAt.Unix(),
				EventID: eventUUID(&item), Metadata: map[string]string{"tenant": r.Identity.Tenant, "x": r.OriginalMailFrom},
			}
			if got.Status != 200 || len(got.Events) != 1 || esp == "sendgrid" && (got.Verified == nil || !*got.Verified) {
				t.Fatalf("%s", lines[i])
			}
			switch esp {
			case "mailgun": // django-anymail writes brackets, and takes the token for the id
				want.MessageID, want.EventID = "<"+want.MessageID+">", got.Events[0].EventID
			case "sendgrid":
				want.MessageID = "<" + r.Original.MessageID + ">"
			case "postmark", "sparkpost":
				want.EventID = jsonInt(eventNumber(&item))
			case "ses": // its metadata is JSON in a header of its own
				want.Metadata = map[string]string{}
			}
			if diff := cmp.Diff(want, got.Events[0]); diff != "" {
				t.Error(diff)
			}
		})
	}
}
