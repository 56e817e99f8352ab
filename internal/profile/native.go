package profile

import (
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// native is a JSON array of records, each as the ledger has it, signed if there is a key.
type native struct {
	keeper
	webhook webhook
}

func newNative(o Options) (Profile, error) {
	w, err := newWebhook(o)
	return native{webhook: w}, err
}

func (native) Request(items []delivery.Item) (r Request, n int, err error) {
	b, n, err := pack(nil, items, func(b []byte, item *delivery.Item) ([]byte, error) {
		if len(b) == 0 {
			b = append(b, '[')
		} else {
			b = append(b, ',')
		}
		return append(b, item.JSON...), nil
	})
	return Request{Header: contentType("application/json"), Body: append(b, ']')}, n, err
}

func (p native) Sign(r *Request, now time.Time) error { return p.webhook.Sign(r, now) }
