package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"fblwatch": scripted, "answering": answering})
}

// Each script is one feature of the program.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("ESC", "\x1b[2J")
			e.Setenv("GORACE", "atexit_sleep_ms=0") // else each command takes a second more
			e.Setenv("XDG_STATE_HOME", filepath.Join(e.WorkDir, "state"))
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			e.Setenv("DNS", "works")
			return startServer(e)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"mbox":    writeMbox,
			"fill":    fillLedger,
			"bury":    buryRecords,
			"count":   countLines,
			"deliver": deliver,
			"folder":  addFolder,
			"await":   await,
			"issuer":  startIssuer,
			"idof":    idOf,
			"idfrom":  idFrom,
			"mmdb":    writeMMDB,
			"genuine": deliverGenuine,
			"inpage":  inPage,
		},
	})
}

// writeMMDB: mmdb FILE PREFIX KEY=VALUE... writes a database of one network.
func writeMMDB(ts *testscript.TestScript, _ bool, args []string) {
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Script", IncludeReservedNetworks: true})
	ts.Check(err)
	_, network, err := net.ParseCIDR(args[1])
	ts.Check(err)
	entry := mmdbtype.Map{}
	for _, pair := range args[2:] {
		key, value, _ := strings.Cut(pair, "=")
		entry[mmdbtype.String(key)] = mmdbtype.String(value)
	}
	ts.Check(tree.Insert(network, entry))
	var b bytes.Buffer
	_, err = tree.WriteTo(&b)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

type serverKey struct{}

// startServer gives a script an IMAP server at $ADDR, user "user", password
// "pass" (which FBLWATCH_PASSWORD is), with an empty INBOX.
func startServer(e *testscript.Env) error {
	server := imaptest.New()
	address, err := server.Listen()
	if err != nil {
		return err
	}
	e.Defer(func() { server.Close() })
	e.Setenv("ADDR", address)
	e.Setenv("FBLWATCH_PASSWORD", "pass")
	e.Values[serverKey{}] = server
	return nil
}

// deliver: deliver FOLDER FIRST KIND... puts messages into a folder.
func deliver(ts *testscript.TestScript, _ bool, args []string) {
	first, err := strconv.Atoi(args[1])
	ts.Check(err)
	for i, kind := range args[2:] {
		ts.Value(serverKey{}).(*imaptest.Server).Append(args[0], sampleBody(first+i, kind))
	}
}

// folder: folder NAME makes a folder.
func addFolder(ts *testscript.TestScript, _ bool, args []string) {
	ts.Value(serverKey{}).(*imaptest.Server).AddMailbox(args[0], args[1:]...)
}

// await: await FILE N waits until a file has N lines.
func await(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	var lines int
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		data, _ := os.ReadFile(ts.MkAbs(args[0]))
		if lines = bytes.Count(data, []byte("\n")); lines == want {
			return
		}
	}
	ts.Fatalf("%s has %d lines, want %d", args[0], lines, want)
}

// idof: idof FILE TEXT sets $ID to the first word of the line that holds TEXT.
func idOf(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if strings.Contains(line, args[1]) {
			ts.Setenv("ID", strings.Fields(line)[0])
			return
		}
	}
	ts.Fatalf("%s has no line with %s", args[0], args[1])
}

// idfrom: idfrom FILE TEXT sets $ID to the id of the record, a line of JSON,
// that holds TEXT.
func idFrom(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var record struct{ ID string }
		if strings.Contains(line, args[1]) {
			ts.Check(json.Unmarshal([]byte(line), &record))
			ts.Setenv("ID", record.ID)
			return
		}
	}
	ts.Fatalf("%s has no line with %s", args[0], args[1])
}

func sampleBody(n int, kind string) []byte {
	switch kind {
	case "report":
		return sample.Report(n, 0)
	case "vouched": // by the server of the mailbox
		return sample.Signed(n)
	}
	return sample.Message(n, kind)
}

// writeMbox: mbox FILE KIND... writes one message of each kind; "report" is a
// feedback report, the others are neighbours.
func writeMbox(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	for n, kind := range args[1:] {
		b.Write(mboxEntry(n, kind))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

func mboxEntry(n int, kind string) []byte {
	text := strings.ReplaceAll(string(sampleBody(n, kind)), "\r\n", "\n")
	text = strings.ReplaceAll(text, "\nFrom ", "\n>From ")
	return []byte("From fbl@example.net Mon Mar  2 06:00:00 2026\n" + text + "\n")
}

// fillLedger: fill FILE N commits the records of N sample reports, received
// one an hour from 2026-03-01 on.
func fillLedger(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ctx := context.Background()
	l, err := backend.Open(ctx, ts.MkAbs(args[0]))
	ts.Check(err)
	claim, err := l.Claim(ctx, ledger.Folder{Account: "yahoo", Name: "INBOX"})
	ts.Check(err)
	batch := ledger.Batch{Checkpoint: ledger.Checkpoint{UIDValidity: 1, High: uint32(n)}}
	for i := range n {
		batch.Messages = append(batch.Messages, sampleMessage(i))
	}
	_, err = l.Commit(ctx, claim, batch)
	ts.Check(err)
	ts.Check(l.Close())
}

// buryRecords: bury FILE SINK SEQ... makes dead letters of records of a ledger's first
// folder, and acknowledges all of it.
func buryRecords(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	l, err := backend.Open(ctx, ts.MkAbs(args[0]))
	ts.Check(err)
	for row, err := range l.Records(ctx, ledger.Query{FolderID: 1}) {
		ts.Check(err)
		if slices.Contains(args[2:], strconv.FormatInt(row.Seq, 10)) {
			ts.Check(l.Bury(ctx, []ledger.DeadLetter{{Row: row, Sink: args[1], At: time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC), Tries: int(row.Seq), Reason: "422: bad \x1b[2J" + row.ID[:4]}}))
		}
		ts.Check(l.Ack(ctx, args[1], 0, row.FolderID, row.Seq))
	}
	ts.Check(l.Close())
}

func sampleMessage(i int) ledger.Message {
	at := time.Date(2026, 3, 1, i, 0, 0, 0, time.UTC)
	body := sample.Report(i, 0)
	r := report.Parse(body)
	message := ledger.Message{ReportID: r.ID, UIDValidity: 1, UID: uint32(i + 1), Kind: string(r.Kind), At: at, Head: body}
	mailbox := &report.Mailbox{Account: "yahoo", Folder: "INBOX", UID: message.UID, UIDValidity: 1}
	for _, record := range r.Records(report.Envelope{ReceivedAt: at, Mailbox: mailbox}) {
		message.Records = append(message.Records, ledger.Record{
			ID: record.ID, Revision: record.Revision, At: at, JSON: record.AppendJSON(nil),
			Event: string(record.Event), Class: string(record.Class), Provider: record.Provider, SourceIP: record.SourceIP,
		})
	}
	return message
}

// countLines: count N FILE asserts the number of lines; each line of a *.json
// must be a JSON object.
func countLines(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[1])
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if text == "" {
		lines = nil
	}
	if want, err := strconv.Atoi(args[0]); err != nil || (len(lines) == want) == neg {
		ts.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		if filepath.Ext(args[1]) == ".json" && !json.Valid([]byte(line)) {
			ts.Fatalf("no JSON: %s", line)
		}
	}
}

// Options may stand behind the other arguments, up to a --.
func TestReorder(t *testing.T) {
	app := (&program{}).app()
	tests := []struct{ args, want string }{
		{"fblwatch", "fblwatch"},
		{"fblwatch --version", "fblwatch --version"},
		{"fblwatch parse a --format arf b --all", "fblwatch parse --format arf --all -- a b"},
		{"fblwatch parse --format=arf - -m x", "fblwatch parse --format=arf -m x -- -"},
		{"fblwatch parse a -- --format", "fblwatch parse -- a --format"},
		{"fblwatch parse a --format", "fblwatch parse --format"},
		{"fblwatch frob a --format", "fblwatch frob a --format"},
	}
	for _, test := range tests {
		if got := strings.Join(reorder(app, strings.Fields(test.args)), " "); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.args, got, test.want)
		}
	}
}

// Every command's help has an example, and every option says what it does.
func TestHelp(t *testing.T) {
	for _, c := range (&program{}).app().Commands {
		if !strings.Contains(c.Description, "Example: fblwatch "+c.Name) {
			t.Errorf("%s: no example", c.Name)
		}
		for _, f := range c.Flags {
			if d, ok := f.(interface{ GetUsage() string }); !ok || d.GetUsage() == "" {
				t.Errorf("%s --%s: no word about it", c.Name, f.Names()[0])
			}
		}
	}
}

// The library reads 010 as 8: no option is one of its numbers.
func TestDecimal(t *testing.T) {
	for _, c := range (&program{}).app().Commands {
		for _, f := range c.Flags {
			switch f.(type) {
			case *cli.IntFlag, *cli.Int64Flag, *cli.UintFlag, *cli.Uint64Flag, *cli.IntSliceFlag, *cli.Int64SliceFlag:
				t.Errorf("%s --%s is a %T; use numberFlag", c.Name, f.Names()[0], f)
			}
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"fblwatch", "parse", "testdata"}, strings.NewReader(""), &stdout, &stderr, env())
	if code != exitFailed || stderr.String() != "fblwatch: error: interrupted\n" {
		t.Errorf("exit %d, stderr %q", code, stderr.String())
	}
}

// env is an environment made of pairs.
func env(pairs ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}
