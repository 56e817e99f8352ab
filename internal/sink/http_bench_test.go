package sink

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/sqlite"
	"github.com/fblwatch/fblwatch/internal/profile"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// one is a profile whose requests are for one item each.
type one struct{ profile.Profile }

func (o one) Request(items []delivery.Item) (profile.Request, int, error) {
	return o.Profile.Request(items[:1])
}

// complaints are n records as the reader makes them.
func complaints(folder int64, n int) (items []delivery.Item) {
	for i := range n {
		r := report.Parse(sample.Report(i, 0)).Records(report.Envelope{})[0]
		r.ID = fmt.Sprintf("%032x.1", i)
		items = append(items, delivery.Item{Row: ledger.Row{FolderID: folder, Seq: int64(i) + 1, Record: ledger.Record{ID: r.ID, Revision: 1, JSON: r.AppendJSON(nil)}}})
	}
	return items
}

// BenchmarkHTTP sends 500 records, in a request for all or for each, to a server on the
// loopback which decodes their JSON, and the same octets with a bare client in turns. The
// requests are stored in a ledger on disk, or not: the difference is what a crash costs.
// drained: the server throws away what it reads, which no receiver does.
func BenchmarkHTTP(b *testing.B) {
	decodes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var records []map[string]any
		if err := json.NewDecoder(r.Body).Decode(&records); err != nil || len(records) == 0 {
			http.Error(w, "no records", http.StatusBadRequest)
		}
	}))
	defer decodes.Close()
	drains := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer drains.Close()
	native, err := profile.New(profile.Options{Profile: defaultProfile})
	if err != nil {
		b.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		server  *httptest.Server
		profile profile.Profile
		store   bool
	}{
		{"batch", decodes, native, true}, {"batch-unstored", decodes, native, false}, {"batch-drained", drains, native, true}, {"batch-drained-unstored", drains, native, false},
		{"each", decodes, one{native}, true}, {"each-unstored", decodes, one{native}, false},
	} {
		b.Run(test.name, func(b *testing.B) {
			server, p := test.server, test.profile
			l, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "l.db"))
			if err != nil {
				b.Fatal(err)
			}
			claim, err := l.Claim(b.Context(), ledger.Folder{Account: "a", Name: "INBOX"})
			if err != nil {
				b.Fatal(err)
			}
			var stored Stored
			if test.store {
				stored = l
			}
			s, err := newHTTP(Config{Name: "test", Remote: RemoteConfig{URL: server.URL}}, Options{Log: discard, Stored: stored}, p)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			items := complaints(claim.ID, 500)
			var bodies [][]byte
			for at := 0; at < len(items); {
				r, n, err := p.Request(items[at:])
				if err != nil {
					b.Fatal(err)
				}
				bodies = append(bodies, r.Body)
				at += n
			}
			var ours, theirs time.Duration
			octets := 0
			for b.Loop() {
				began := time.Now()
				for _, body := range bodies {
					answer, err := http.Post(server.URL, "application/json", bytes.NewReader(body))
					if err != nil {
						b.Fatal(err)
					}
					io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
					octets += len(body)
				}
				theirs += time.Since(began)
				began = time.Now()
				if done, err := s.Write(b.Context(), items); done != len(items) || err != nil {
					b.Fatal(done, err)
				}
				ours += time.Since(began)
			}
			sent := float64(b.N * len(items))
			b.ReportMetric(float64(ours)/float64(theirs), "x-bare")
			b.ReportMetric(sent/ours.Seconds(), "records/s")
			b.ReportMetric(sent/theirs.Seconds(), "bare-records/s")
			b.ReportMetric(float64(octets)/sent, "octets/record")
			b.ReportMetric(0, "ns/op")
			b.StopTimer()
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			if err := l.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
