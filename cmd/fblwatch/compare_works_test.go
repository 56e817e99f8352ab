//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/sample"
)

const (
	compareMany    = 20_000                // messages of a folder
	compareDays    = 20                    // on which they came
	compareFar     = 10_000                // messages of a folder far away
	compareTrip    = 80 * time.Millisecond // to it and back
	compareFolders = 200                   // that are watched at once
	comparePrefix  = 8 << 10               // octets of each message that the raw reader asks for, as a sweep does
)

// works makes the works: sweeps of a warm Dovecot, near and far, files, a
// ledger's lists, a watch of many folders and the start.
type works struct {
	t   *testing.T
	d   *realserver.DovecotServer
	dir string
	env []string
}

func comparedWorks(t *testing.T) []compared {
	d := realserver.Dovecot(t)
	w := works{t: t, d: d, dir: t.TempDir(), env: []string{"FBLWATCH_PASSWORD=" + d.Password()}}
	var all []compared
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for _, size := range []int{5000, 25_000} {
		folder := fmt.Sprintf("FBL%d", size)
		path := w.deliver(folder, size, today)
		name := fmt.Sprintf("%d KB", size/1000)
		all = append(all, w.sweep("sweep "+name, d.PlainAddr(), folder, compareMany, map[string]string{
			wall: "0.5", processor: "0.5", peakMemory: "40 MB", octets: "0.5"}))
		parse := compared{name: "parse " + name, args: func(int) []string { return []string{"parse", "--format", "json", path} },
			file: path, lines: compareMany, aims: map[string]string{processor: "0.5", pace: "250 MB/s"}}
		all = append(all, parse)
	}
	var far [][]byte
	for i := range compareFar {
		far = append(far, sample.Report(i, 6100))
	}
	d.Deliver("FAR", far...)
	proxy := imaptest.NewDelayProxy(t, d.PlainAddr(), compareTrip, 0)
	all = append(all, w.sweep(fmt.Sprint("sweep far, ", compareTrip), proxy.Addr(), "FAR", compareFar, map[string]string{ofRaw: "0.85"}))

	list := func(name string, lines int, command ...string) compared {
		return compared{name: name, lines: lines, args: func(program int) []string { return append(command, "--ledger", w.ledger("FBL5000", program)) }}
	}
	day := func(ago int) string { return today.AddDate(0, 0, -ago).Format(time.DateOnly) }
	return append(all,
		list("records", compareMany, "records", "--format", "json"),
		list("records of a day", compareMany/compareDays, "records", "--format", "json", "--since", day(3), "--until", day(2)),
		list("suppress", compareMany, "suppress", "--include", "review", "--format", "json"),
		w.watch(),
		w.start())
}

// deliver fills a folder with messages that came on different days. It returns the
// path of an mbox of the same messages.
func (w works) deliver(folder string, size int, today time.Time) string {
	path := filepath.Join(w.dir, folder+".mbox")
	file, err := os.Create(path)
	if err != nil {
		w.t.Fatal(err)
	}
	for part := range compareDays { // so that not all is in memory
		var messages [][]byte
		for i := range compareMany / compareDays {
			message := sample.Report(part*compareMany/compareDays+i, size)
			messages = append(messages, message)
			fmt.Fprintf(file, "From fbl@example.net Sun Feb  1 00:00:00 2026\n%s\n", bytes.ReplaceAll(message, []byte("\nFrom "), []byte("\n>From ")))
		}
		w.d.DeliverAt(today.AddDate(0, 0, part-compareDays).Add(12*time.Hour), folder, messages...)
	}
	if err := file.Close(); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// ledger is where a program sweeps a folder into. It stays until the next sweep.
func (w works) ledger(folder string, program int) string {
	return filepath.Join(w.dir, fmt.Sprintf("%s-%d.db", folder, program))
}

func (w works) sweep(name, addr, folder string, many int, aims map[string]string) compared {
	ledger := func(program int) string { return w.ledger(folder, program) }
	return compared{name: name, env: w.env, ledger: ledger, lines: many, aims: aims,
		args: func(program int) []string {
			return []string{"sweep", "--json", "--url", "imap://" + w.d.User() + "@" + addr + "/" + folder, "--ledger", ledger(program)}
		},
		raw: func(t *testing.T) float64 {
			start := time.Now()
			if n, err := imaptest.RawFetch(addr, w.d.User(), w.d.Password(), folder, comparePrefix); err != nil || n < int64(many)*4000 {
				t.Fatalf("%d octets, %v", n, err)
			}
			return time.Since(start).Seconds()
		}}
}

// watch watches many folders with three messages in each until all are records.
func (w works) watch() compared {
	for i := range compareFolders {
		for n := range 3 {
			w.d.Deliver(fmt.Sprintf("MANY/%03d", i), sample.Report(3*i+n, 0))
		}
	}
	config := fixture.File(w.t, filepath.Join(w.dir, "watch.yaml"), fmt.Sprintf(
		"accounts: [{name: a, url: 'imap://%s@%s', password: '%s', folders: ['MANY/*']}]\n", w.d.User(), w.d.PlainAddr(), w.d.Password()))
	ledger := func(program int) string { return w.ledger("MANY", program) }
	return compared{name: fmt.Sprintf("watch %d folders", compareFolders), ledger: ledger, lines: 3 * compareFolders, endless: true,
		aims: map[string]string{resident: "25 MB"},
		args: func(program int) []string {
			return []string{"watch", "--json", "--config", config, "--ledger", ledger(program)}
		}}
}

// start ends when the program logs in to a server that does not answer.
func (w works) start() compared {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { listener.Close() })
	logins := make(chan struct{})
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				if line := strings.ToUpper(lines.Text()); strings.Contains(line, " LOGIN ") || strings.Contains(line, " AUTHENTICATE ") {
					logins <- struct{}{}
				} else {
					tag, _, _ := strings.Cut(lines.Text(), " ")
					fmt.Fprintf(conn, "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n%s OK\r\n", tag)
				}
			}
			conn.Close()
		}
	}()
	return compared{name: "start to login", env: w.env, over: logins, aims: map[string]string{wall: "0.050 s"},
		args: func(program int) []string {
			return []string{"sweep", "--url", "imap://fbl@" + listener.Addr().String() + "/INBOX", "--ledger", w.ledger("FBL5000", program)}
		}}
}
