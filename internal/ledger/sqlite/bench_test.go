package sqlite

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

// noise is n octets that do not repeat, different for every seed.
func noise(seed string, n int) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", seed, i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

// reportOf makes a head of size octets, as like to others of its feed as reports are.
func reportOf(seed string, size int) []byte {
	id := hex.EncodeToString(noise(seed, 16))
	var b strings.Builder
	fmt.Fprintf(&b, "Received: from out.example.net by mx.example.com with ESMTPS id %s;\r\n"+
		"DKIM-Signature: v=1; a=rsa-sha256; d=example.net; b=%s\r\n"+
		"From: feedback@example.net\r\nMessage-ID: <%s@example.net>\r\n"+
		"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"+
		"--b\r\n\r\nThis is an email abuse report.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"+
		"Feedback-Type: abuse\r\nUser-Agent: Loop/1.0\r\nVersion: 1\r\nOriginal-Mail-From: <bounce-%s@example.com>\r\n"+
		"--b\r\nContent-Type: message/rfc822\r\n\r\nDKIM-Signature: v=1; b=%s\r\nSubject: news\r\n\r\n",
		id, base64.StdEncoding.EncodeToString(noise("a"+seed, 256)), id, id, base64.StdEncoding.EncodeToString(noise("b"+seed, 256)))
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "<td style=\"padding:%dpx\"><a href=\"https://example.com/c/%x\">a word or two</a></td>\r\n", i%7, noise(fmt.Sprint(seed, i), 8))
	}
	return []byte(b.String()[:size])
}

func reports(batch, n int) []ledger.Message {
	messages := make([]ledger.Message, n)
	for i := range messages {
		seed := fmt.Sprint(batch, "-", i)
		m := ledgertest.Message(hex.EncodeToString(noise(seed, 16)), 1)
		m.Head = reportOf(seed, 6000)
		m.Records[0].JSON = fmt.Appendf(nil, `{"schema":1,"extensions":{"x":[%q]}}`, reportOf("j"+seed, 1150))
		m.Records[0].At = ledgertest.Noon.Add(time.Duration(batch*n+i) * time.Second)
		messages[i] = m
	}
	return messages
}

func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkCommit commits 20 batches of 500 messages of one record (1.2 KB) and a
// head of 6 KB.
func BenchmarkCommit(b *testing.B) {
	const batches, size = 20, 500
	var all [][]ledger.Message
	for i := range batches {
		all = append(all, reports(i, size))
	}
	for _, heads := range []bool{true, false} {
		b.Run(fmt.Sprintf("heads=%t", heads), func(b *testing.B) {
			var spent, wall time.Duration
			var disk int64
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
				start, from := time.Now(), cpu()
				for _, messages := range all {
					if !heads {
						messages = headless(messages)
					}
					if _, err := l.Commit(b.Context(), c, ledger.Batch{Messages: messages}); err != nil {
						b.Fatal(err)
					}
				}
				wall, spent = wall+time.Since(start), spent+cpu()-from
				l.Close()
				st, err := os.Stat(path)
				if err != nil {
					b.Fatal(err)
				}
				disk = st.Size()
			}
			messages := float64(b.N * batches * size)
			b.ReportMetric(float64(spent.Nanoseconds())/1e3/messages, "cpu-us/mail")
			b.ReportMetric(float64(wall.Nanoseconds())/1e3/messages, "us/mail")
			b.ReportMetric(float64(disk)/(batches*size), "disk-B/record")
		})
	}
}

func headless(messages []ledger.Message) []ledger.Message {
	out := append([]ledger.Message(nil), messages...)
	for i := range out {
		out[i].Head = nil
	}
	return out
}

// BenchmarkPack is what the compression of heads and of records adds to a commit.
func BenchmarkPack(b *testing.B) {
	messages := reports(0, 512)
	for what, how := range map[string]byte{"heads": packedPlain, "records": packedRecords} {
		b.Run(what, func(b *testing.B) {
			var p packer
			plain, size := 0, 0
			for b.Loop() {
				plain, size = 0, 0
				for i, m := range messages {
					piece := m.Head
					if how == packedRecords {
						piece = m.Records[0].JSON
					}
					p.add(piece)
					plain += len(piece)
					if i%16 == 15 {
						size += len(p.pack(how))
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*len(messages)), "us/mail")
			b.ReportMetric(float64(plain)/float64(size), "ratio")
		})
	}
}

// BenchmarkRecords reads a ledger of 100,000 records: one in a thousand, those of a day,
// and the first 20,000.
func BenchmarkRecords(b *testing.B) {
	l, err := Open(b.Context(), filepath.Join(b.TempDir(), "l.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	c, err := l.Claim(b.Context(), ledgertest.Inbox)
	for i := 0; err == nil && i < 100_000; i += 500 {
		_, err = l.Commit(b.Context(), c, ledger.Batch{Messages: bigBatch(i, 500, time.Minute)})
	}
	if err != nil {
		b.Fatal(err)
	}
	for what, q := range map[string]ledger.Query{
		"rare": {Verdict: "yes"},
		"day":  {Since: ledgertest.Noon, Until: ledgertest.Noon.Add(24 * time.Hour)},
		"all":  {Limit: 20_000},
	} {
		b.Run(what, func(b *testing.B) {
			n := 0
			for b.Loop() {
				n = 0
				for _, err := range l.Records(b.Context(), q) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*n), "us/record")
		})
	}
}

// BenchmarkReplay looks for the first record since a time in a folder of 200,000.
func BenchmarkReplay(b *testing.B) {
	const n = 200_000
	l, err := Open(b.Context(), filepath.Join(b.TempDir(), "l.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	c, err := l.Claim(b.Context(), ledgertest.Inbox)
	for i := 0; err == nil && i < n; i += 500 {
		_, err = l.Commit(b.Context(), c, ledger.Batch{Messages: bigBatch(i, 500, time.Minute)})
	}
	if err == nil {
		err = l.Ack(b.Context(), "s", 0, c.ID, n)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, part := range []int{0, 1, 50, 99, 100} { // percent of the records before it
		b.Run(fmt.Sprintf("behind=%d%%", part), func(b *testing.B) {
			for b.Loop() {
				if _, err := l.(*store).firsts(b.Context(), "s", ledgertest.Noon.Add(n*time.Duration(part)/100*time.Minute)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("resends", func(b *testing.B) { // the first of n / 2, which are dead
		var dead []ledger.DeadLetter
		for seq := range int64(n / 2) {
			dead = append(dead, ledger.DeadLetter{Row: ledger.Row{FolderID: c.ID, Seq: seq + 1}, Sink: "s", Tries: 1})
		}
		err := l.Bury(b.Context(), dead)
		if err == nil {
			_, err = l.Do(b.Context(), ledger.Change{Replay: []ledger.Replay{{Sink: "s", Dead: true}}})
		}
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if rows, err := l.Resends(b.Context(), "s", 10); err != nil || len(rows) != 10 {
				b.Fatal(len(rows), err)
			}
		}
	})
	b.Run("lag", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := l.Lag(b.Context(), "other"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
