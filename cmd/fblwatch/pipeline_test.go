package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// Messages come out in the order of the file, whoever encodes them.
func TestParseKeepsOrder(t *testing.T) {
	const messages = 1000
	var mbox, zipped bytes.Buffer
	for n := range messages {
		mbox.Write(mboxEntry(n, "report"))
	}
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write(mbox.Bytes())
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]io.Reader{"plain": &mbox, "gzip": &zipped} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{"fblwatch", "parse", "-"}, in, &stdout, &stderr, env()); code != exitDone {
			t.Fatalf("%s: exit %d: %s", name, code, &stderr)
		}
		decoder := json.NewDecoder(&stdout)
		for n := range messages {
			var r report.Record
			if err := decoder.Decode(&r); err != nil {
				t.Fatalf("%s: record %d: %v", name, n, err)
			}
			if want := fmt.Sprintf("user%d@example.com", n); r.OriginalRcptTo != want || r.Mailbox.UID != uint32(n+1) {
				t.Fatalf("%s: record %d is of %s, mail %d", name, n, r.OriginalRcptTo, r.Mailbox.UID)
			}
		}
		if decoder.More() {
			t.Errorf("%s: more than %d records", name, messages)
		}
	}
}

// A message from a slow pipe is not held back until many have come.
func TestParseFollowsPipe(t *testing.T) {
	in, feed := io.Pipe()
	out, stdout := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(t.Context(), []string{"fblwatch", "parse", "-"}, in, stdout, io.Discard, env())
		stdout.Close()
	}()
	first := make(chan string, 1)
	go func() {
		line := make([]byte, 64)
		_, _ = io.ReadFull(out, line)
		first <- string(line)
		_, _ = io.Copy(io.Discard, out)
	}()
	for n := range 10 { // 24 KB: an mbox is read some way ahead to find where a message ends
		_, _ = feed.Write(mboxEntry(n, "report"))
	}
	select {
	case line := <-first:
		if !strings.HasPrefix(line, `{"schema":1,`) {
			t.Errorf("the first record is %s", line)
		}
	case <-time.After(10 * time.Second):
		t.Error("no record while the pipe is open")
	}
	feed.Close()
	if code := <-done; code != exitDone {
		t.Errorf("exit %d", code)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, os.ErrClosed }

// A full disk behind stdout is an error, not a loss in silence.
func TestParseBrokenOutput(t *testing.T) {
	var stderr bytes.Buffer
	in := bytes.NewReader(bytes.Repeat(mboxEntry(0, "report"), 100))
	if code := run(t.Context(), []string{"fblwatch", "parse", "-"}, in, brokenWriter{}, &stderr, env()); code != exitFailed {
		t.Errorf("exit %d, stderr %s", code, &stderr)
	}
}

// BenchmarkParse reads an mbox of 20,000 reports end to end to NDJSON.
func BenchmarkParse(b *testing.B) {
	path := filepath.Join(b.TempDir(), "fbl.mbox")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	for n := range 20_000 {
		if _, err := file.Write(mboxEntry(n, "report")); err != nil {
			b.Fatal(err)
		}
	}
	info, err := file.Stat()
	if err != nil {
		b.Fatal(err)
	}
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		if code := run(b.Context(), []string{"fblwatch", "parse", path}, nil, io.Discard, os.Stderr, env()); code != exitDone {
			b.Fatal("exit", code)
		}
	}
	b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
