package profile

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// IdempotencyKey is the header field by which a receiver knows a request that comes
// again. The sink sets it before Sign.
const IdempotencyKey = "Idempotency-Key"

// webhook signs as Standard Webhooks 1.0.0 specifies (standardwebhooks.com), with each
// of the keys: a receiver that knows one of them takes the request, so that keys can
// change. Without a key it signs nothing.
type webhook struct {
	secret func() ([]byte, error) // nil: none
}

func newWebhook(o Options) (webhook, error) {
	if !o.hasKey() {
		return webhook{}, nil
	}
	if o.SigningKey != "" {
		if _, err := webhookSigners([]byte(o.SigningKey.Reveal())); err != nil {
			return webhook{}, err
		}
	}
	return webhook{o.Secret}, nil
}

var errWebhookKey = errors.New("signing_key is not whsec_ and the base64 of 24 to 64 octets; several keys stand apart by blanks or lines")

// webhookSigners reads keys, the newest first.
func webhookSigners(text []byte) (signers []*standardwebhooks.Webhook, err error) {
	for field := range bytes.FieldsSeq(text) {
		code, prefixed := bytes.CutPrefix(field, []byte("whsec_"))
		key, err := base64.StdEncoding.AppendDecode(nil, code)
		if !prefixed || err != nil || len(key) < 24 || len(key) > 64 {
			return nil, errWebhookKey
		}
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return nil, errWebhookKey
		}
		signers = append(signers, signer)
	}
	if len(signers) == 0 {
		return nil, errWebhookKey
	}
	return signers, nil
}

// Sign sets the three header fields. webhook-id is the Idempotency-Key with a - for each
// full stop, which separates what is signed, and for each #.
func (w webhook) Sign(r *Request, now time.Time) error {
	if w.secret == nil {
		return nil
	}
	text, err := w.secret()
	if err != nil {
		return err
	}
	signers, err := webhookSigners(text)
	if err != nil {
		return err
	}
	id := strings.NewReplacer(".", "-", "#", "-").Replace(r.Header.Get(IdempotencyKey))
	signatures := make([]string, len(signers))
	for i, signer := range signers {
		if signatures[i], err = signer.Sign(id, now, r.Body); err != nil {
			return err
		}
	}
	r.Header.Set(standardwebhooks.HeaderWebhookID, id)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return nil
}
