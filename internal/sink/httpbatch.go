package sink

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"slices"

	"github.com/klauspost/compress/s2"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/profile"
)

// batchBytes is how many octets of bodies are stored at once, before a last request.
const batchBytes = 4 << 20

// request is a request for N items, as it is stored.
type request struct {
	First   string `json:"first"` // Key of its first item
	Last    string `json:"last"`  // Key of its last one
	N       int    `json:"n"`
	Key     string `json:"key"` // Idempotency-Key
	Place   string `json:"-"`   // path and query of the URL, before those of Request; may hold a secret
	Refused string `json:"refused,omitempty"`
	profile.Request
	Size int `json:"size,omitempty"` // of the body, which follows
}

// is reports whether r is for the first of items.
func (r *request) is(items []delivery.Item) bool {
	return r.N <= len(items) && r.First == items[0].Key() && r.Last == items[r.N-1].Key()
}

// batch returns the requests for the first of items: those that are stored, and new ones
// behind them, which it stores. If it returns beside, it has not: the folder's requests
// are for others, which items are sent beside. Those stay stored.
func (s *httpSink) batch(ctx context.Context, items []delivery.Item) (_ []request, beside bool, err error) {
	known, err := s.batches.get(ctx, items[0].FolderID)
	if err != nil {
		return nil, false, err
	}
	first := slices.IndexFunc(known, func(r request) bool { return r.is(items) })
	var requests []request
	n, size := 0, 0
	for i := max(first, 0); first >= 0 && i < len(known) && n < len(items) && known[i].is(items[n:]); i++ {
		known[i].Place, _ = s.place.Of(&items[n]) // it is not stored
		requests = append(requests, known[i])
		n += known[i].N
		size += len(known[i].Body)
	}
	old := len(requests)
	for n < len(items) && (size < batchBytes || n == 0) {
		r := s.request(items[n:])
		requests = append(requests, r)
		n += r.N
		size += len(r.Body)
	}
	if len(requests) == old {
		return requests, false, nil
	}
	if first < 0 && len(known) > 0 && len(items) == 1 && items[0].Replay > 0 {
		return requests, true, nil // its key is the same each time in any case
	}
	return requests, false, s.batches.set(ctx, items[0].FolderID, items[n-1].Seq, requests)
}

// request writes a new request for the first of items.
func (s *httpSink) request(items []delivery.Item) (r request) {
	r.First, r.Last, r.N = items[0].Key(), items[0].Key(), 1
	var err error
	if r.Place, _ = s.place.Of(&items[0]); s.place.Fixed() {
		r.Request, r.N, err = s.profile.Request(items)
	} else {
		n := 1
		for n < len(items) {
			if place, _ := s.place.Of(&items[n]); place != r.Place {
				break
			}
			n++
		}
		r.Request, r.N, err = s.profile.Request(items[:n])
	}
	if err != nil {
		return request{First: r.First, Last: r.First, N: 1, Refused: err.Error()}
	}
	r.Last = items[r.N-1].Key()
	r.Key = keyOf(&r, items[:r.N])
	return r
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// keyOf is the Idempotency-Key: that of a single item, else a hash of the keys of the
// items and of the request. A checksum is enough of the body, which is large: it follows
// from the items, and differs only if another version of the program writes it.
func keyOf(r *request, items []delivery.Item) string {
	if len(items) == 1 {
		return r.First
	}
	h := sha256.New()
	for i := range items {
		io.WriteString(h, items[i].Key()+"\n")
	}
	fmt.Fprintf(h, "%s %s %s\n%08x", r.Method, r.Place, r.Path, crc32.Checksum(r.Body, castagnoli))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// batches are the requests of a sink that are stored, by folder.
type batches struct {
	sink   string
	log    *slog.Logger
	stored Stored // nil: they are kept in memory only
	config string // what the requests depend on beside the items

	loaded bool
	stale  map[int64][]byte    // by folder, what an earlier run has stored
	last   map[int64][]request // by folder, what was written last, and is not all sent
	buffer []byte              // of encode
}

// get returns the requests of a folder.
func (b *batches) get(ctx context.Context, folder int64) ([]request, error) {
	if !b.loaded {
		b.stale, b.last = make(map[int64][]byte), make(map[int64][]request)
		if b.stored != nil {
			stored, err := b.stored.Batches(ctx, b.sink)
			if err != nil {
				return nil, err
			}
			for _, one := range stored {
				b.stale[one.FolderID] = one.Data
			}
		}
		b.loaded = true
	}
	if data, has := b.stale[folder]; has {
		delete(b.stale, folder)
		requests, err := decodeBatch(data, b.config)
		if err != nil {
			b.log.Warn("requests that were stored are written anew", "err", err)
		} else {
			b.last[folder] = requests
		}
	}
	return b.last[folder], nil
}

// set stores the requests of a folder for records up to last.
func (b *batches) set(ctx context.Context, folder, last int64, requests []request) error {
	if b.stored != nil {
		data, err := b.encode(requests)
		if err == nil {
			err = b.stored.SetBatch(ctx, b.sink, ledger.StoredBatch{FolderID: folder, Last: last, Data: data})
		}
		if err != nil {
			return err
		}
	}
	b.last[folder] = requests
	return nil
}

// drop forgets the requests of a folder. The ledger forgets them at the acknowledgement.
func (b *batches) drop(folder int64) { delete(b.last, folder) }

// batchHead precedes the bodies in what is stored. It is JSON with its length before it.
type batchHead struct {
	Config   string    `json:"config"`
	Requests []request `json:"requests"`
}

// maxBatch is more octets than a batch has: it ends with a request behind batchBytes, for
// one item at least, whose record has a megabyte at most.
const maxBatch = 64 << 20

var (
	errBatchForm   = errors.New("sink: what is stored is no batch of requests")
	errBatchConfig = errors.New("sink: the config has changed")
)

// encode returns the stored form.
func (b *batches) encode(requests []request) ([]byte, error) {
	head := batchHead{b.config, slices.Clone(requests)}
	size := 0
	for i := range head.Requests {
		r := &head.Requests[i]
		r.Size, r.Body = len(r.Body), nil
		size += r.Size
	}
	text, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	data := slices.Grow(b.buffer[:0], binary.MaxVarintLen64+len(text)+size)
	data = append(binary.AppendUvarint(data, uint64(len(text))), text...)
	for i := range requests {
		data = append(data, requests[i].Body...)
	}
	b.buffer = data
	return s2.Encode(nil, data), nil
}

func decodeBatch(data []byte, config string) ([]request, error) {
	if n, err := s2.DecodedLen(data); err != nil || n > maxBatch {
		return nil, errBatchForm
	}
	data, err := s2.Decode(nil, data)
	if err != nil {
		return nil, errBatchForm
	}
	length, n := binary.Uvarint(data)
	if n <= 0 || length > uint64(len(data)-n) {
		return nil, errBatchForm
	}
	var head batchHead
	if err := json.Unmarshal(data[n:n+int(length)], &head); err != nil {
		return nil, errBatchForm
	}
	if head.Config != config {
		return nil, errBatchConfig
	}
	rest := data[n+int(length):]
	for i := range head.Requests {
		r := &head.Requests[i]
		if r.Size < 0 || r.Size > len(rest) || r.N < 1 {
			return nil, errBatchForm
		}
		r.Body, rest = bytes.Clone(rest[:r.Size]), rest[r.Size:]
		r.Size = 0
	}
	return head.Requests, nil
}
