package sqlite

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

// BenchmarkBig fills a ledger with FBLWATCH_BIG messages of one record (default 200,000)
// over 400 days, and asks it what people ask: the records of a day, whom to suppress,
// how it stands. Its slope is the cost of the last tenth by that of the first. The file
// lies below TMPDIR.
func BenchmarkBig(b *testing.B) {
	total, err := strconv.Atoi(cmp.Or(os.Getenv("FBLWATCH_BIG"), "200000"))
	if err != nil || total < 100_000 {
		b.Fatalf("FBLWATCH_BIG: %q is no number of at least 100000", os.Getenv("FBLWATCH_BIG"))
	}
	const size = 500
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "l.db")
		l, err := Open(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		c, err := l.Claim(b.Context(), ledgertest.Inbox)
		if err != nil {
			b.Fatal(err)
		}
		var spent, took [10]time.Duration
		step := 400 * 24 * time.Hour / time.Duration(total)
		for from := 0; from < total; from += size {
			messages := bigBatch(from, size, step)
			start, used := time.Now(), cpu()
			if _, err := l.Commit(b.Context(), c, ledger.Batch{Messages: messages}); err != nil {
				b.Fatal(err)
			}
			spent[from*10/total] += cpu() - used
			took[from*10/total] += time.Since(start)
		}
		perMail := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(total/10) }
		b.ReportMetric(perMail(spent[0]), "first-cpu-us/mail")
		b.ReportMetric(perMail(spent[9]), "last-cpu-us/mail")
		b.ReportMetric(spent[9].Seconds()/spent[0].Seconds(), "cpu-slope")
		b.ReportMetric(took[9].Seconds()/took[0].Seconds(), "slope")
		day := ledgertest.Noon.Add(200 * 24 * time.Hour)
		ask := func(what string, want int, query func() (int, error)) {
			start := time.Now()
			n, err := query()
			if err != nil || n != want {
				b.Fatalf("%s: %d, %v; want %d", what, n, err, want)
			}
			b.ReportMetric(float64(time.Since(start).Microseconds())/1e3, what+"-ms")
		}
		records := func(q ledger.Query) func() (int, error) {
			return func() (n int, err error) {
				for _, err := range l.Records(b.Context(), q) {
					if err != nil {
						return n, err
					}
					n++
				}
				return n, nil
			}
		}
		ask("day", total/400, records(ledger.Query{Since: day, Until: day.Add(24 * time.Hour)}))
		ask("rare", total/10_000, records(ledger.Query{Provider: "rare", Verdict: "yes"}))
		ask("suppress", total/1000, records(ledger.Query{Verdict: "yes"}))
		ask("status", 1, func() (int, error) {
			folders, err := l.Folders(b.Context())
			if err == nil {
				_, err = l.MessageCounts(b.Context())
			}
			if err == nil {
				_, err = l.Counts(b.Context(), day, day.Add(24*time.Hour))
			}
			return len(folders), err
		})
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		st, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(st.Size())/float64(total), "disk-B/record")
	}
}

// bigBatch makes messages of one record each. One of a thousand is to be suppressed, one
// of ten thousand by a provider of its own.
func bigBatch(from, n int, step time.Duration) []ledger.Message {
	messages := make([]ledger.Message, n)
	for i := range messages {
		number := from + i
		random := hex.EncodeToString(noise(strconv.Itoa(number), 32))
		m := ledger.Message{ReportID: random[:32], UIDValidity: 9, UID: uint32(number + 1), Kind: "report",
			At: ledgertest.Noon.Add(time.Duration(number) * step), Size: 320, Origin: uint64(number) * 0x9e3779b97f4a7c15}
		r := ledger.Record{ID: m.ReportID + ".1", Revision: 1, At: m.At, Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "cfl",
			SourceIP: "192.0.2." + strconv.Itoa(number%256), Domain: "example.com", Campaign: "spring", Subscriber: random[32:44], Identity: "identified", Verdict: "review"}
		if number%1000 == 0 {
			r.Verdict = "yes"
		}
		if number%10_000 == 0 {
			r.Provider = "rare"
		}
		r.JSON = fmt.Appendf(nil, `{"schema":1,"id":"%s","revision":1,"report_id":"%s","fingerprint":"%s","event":"complaint","class":"fbl","provider":"%s","feed":"cfl",`+
			`"received_at":"%s","feedback_type":"abuse","user_agent":"Yahoo!-Mail-Feedback/2.0","version":"1","source_ip":"%s","original_mail_from":"bounce+%s@mail.example.com",`+
			`"original_rcpt_to":"user%d@example.net","original":{"message_id":"%s@mail.example.com","from":"news@example.com","from_domain":"example.com","subject":"Spring sale: 20%% off everything"},`+
			`"identity":{"status":"identified","subscriber":"%s","campaign":"spring","by":{"subscriber":{"rule":"verp","source":"original:Return-Path"}}},`+
			`"reporter":{"from":"feedback@example.net","from_domain":"example.net","auth":"unchecked","trusted":false,"code":"trust_off","reason":"trust is not configured: set trust.own"},`+
			`"suppress":{"verdict":"%s","codes":["trust_off"],"reasons":["not trusted: trust is not configured: set trust.own"]},`+
			`"mailbox":{"account":"yahoo","folder":"INBOX","uid":%d,"uidvalidity":9,"size":320,"message_id":"<%s@example.net>"},"parse":{"status":"ok"}}`,
			r.ID, m.ReportID, random[32:], r.Provider, r.At.Format(time.RFC3339), r.SourceIP, r.Subscriber, number, random[40:60], r.Subscriber, r.Verdict, m.UID, random[10:30])
		m.Records = []ledger.Record{r}
		messages[i] = m
	}
	return messages
}
