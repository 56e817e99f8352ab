package profile

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// itemRoom is what a profile adds to an item's JSON, roughly, in octets.
const itemRoom = 256

// pack appends items to b until the body would be larger than maxBody, which one item
// alone may be. n is how many it holds. An error is about the first item; an item with an error ends the body before it.
func pack(b []byte, items []delivery.Item, add func(b []byte, item *delivery.Item) ([]byte, error)) (body []byte, n int, err error) {
	size := len(b)
	for i := range items {
		if size += len(items[i].JSON) + itemRoom; size > maxBody && i > 0 {
			break
		}
	}
	b = slices.Grow(b, size)
	for i := range items {
		before := len(b)
		b, err = add(b, &items[i])
		switch {
		case err != nil && i == 0:
			return nil, 0, err
		case err != nil, len(b) > maxBody && i > 0:
			return b[:before], i, nil
		}
	}
	return b, len(items), nil
}

// contentType is the Header of a Request.
func contentType(media string) http.Header { return http.Header{"Content-Type": {media}} }

// keeper is what stores have in common: they take every item and need no signature.
type keeper struct{}

func (keeper) Takes(*delivery.Item) string    { return "" }
func (keeper) Sign(*Request, time.Time) error { return nil }
func (keeper) Judge(a Answer, n int) error    { return Status(a, n) }

// errNoObject means that an item is not the JSON object that a ledger has.
var errNoObject = errors.New("profile: the record is no JSON object")

// quote is s as a JSON string.
func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string has no error
	}
	return b
}

// millis appends t as seconds since 1970 with three digits of fraction.
func millis(b []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = append(strconv.AppendInt(b, ms/1000, 10), '.')
	return append(b, byte('0'+ms/100%10), byte('0'+ms/10%10), byte('0'+ms%10))
}

// appendMember appends a JSON object, which is not empty, with one more member.
func appendMember(b, object []byte, name string, value []byte) []byte {
	b = append(b, object[:len(object)-1]...)
	b = append(append(append(b, ','), quote(name)...), ':')
	return append(append(b, value...), '}')
}
