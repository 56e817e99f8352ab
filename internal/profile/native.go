package profile

import "github.com/fblwatch/fblwatch/internal/delivery"

// native is a JSON array of records, each as the ledger has it.
type native struct{ keeper }

func (native) Request(items []delivery.Item) (r Request, n int, err error) {
	b, n, err := pack(make([]byte, 0, 2), items, func(b []byte, item *delivery.Item) ([]byte, error) {
		if len(b) == 0 {
			b = append(b, '[')
		} else {
			b = append(b, ',')
		}
		return append(b, item.JSON...), nil
	})
	return Request{Header: contentType("application/json"), Body: append(b, ']')}, n, err
}
