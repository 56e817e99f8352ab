// Package demo shows fblwatch at work: an IMAP server in this process, sample reports,
// and a watch of them.
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/internal/watch"
	"github.com/fblwatch/fblwatch/report"
)

const (
	waiting = 3               // in the folder at the start
	every   = 2 * time.Second // a new one
)

// Options of a demo.
type Options struct {
	Count   int // stop after as many records; 0: never
	Colours terminal.Colours
	Log     *slog.Logger // of the watch
}

// Run shows the demo on stdout until ctx is done. It ends without an error then.
func Run(ctx context.Context, stdout io.Writer, o Options) error {
	_, err := fmt.Fprintln(stdout, "Starting an IMAP server with sample reports, and a watch of it. Everything\nis on this machine and is deleted at the end.")
	if err != nil {
		return err
	}
	// In memory: right after a build a disk may take seconds to sync a commit,
	// and a demo that waits for it shows the disk.
	l := memory.New()
	signer, err := newSigner()
	if err != nil {
		return err
	}
	trust, err := trust.New(ownTrust, signer, nil)
	if err != nil {
		return err
	}
	server, err := startServer()
	if err != nil {
		return err
	}
	defer server.close()

	fmt.Fprintf(stdout, "An IMAP server for this demo listens on 127.0.0.1:%d. %d messages wait\n"+
		"in its INBOX. A new one arrives every %v, and its record a moment later.\n"+
		"Ctrl-C ends it.\n\n"+
		"Trust is set up: %s signs its reports with a new key. Its\n"+
		"complaints get the verdict yes. Some reports are forged, as anybody could do:\n"+
		"they have no signature and get the verdict review.\n\n", server.port(), waiting, every, reporter)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	room := terminal.Width(stdout)
	if room > 0 {
		room = max(1, room-len(indent))
	}
	d := demo{stdout: stdout, server: server, signer: signer, table: terminal.NewTable(recordtable.Columns[1:], room, o.Colours), left: o.Count, enough: cancel, delivered: map[uint32]time.Time{}}
	if _, err := stdout.Write(d.table.AppendHead([]byte(indent))); err != nil {
		return err
	}
	for range waiting {
		if err := d.deliver(); err != nil {
			return err
		}
	}
	fed := make(chan error, 1)
	go func() {
		fed <- d.feed(ctx)
		cancel()
	}()
	account := watch.Account{
		Name:    "demo",
		Folders: []string{"INBOX"},
		IMAP: imapclient.Options{
			Host: "127.0.0.1", Port: server.port(), Security: imapclient.NoTLS,
			Login: func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
				return imapclient.Credentials{Username: username, Password: imapclient.Secret(server.password)}, nil
			},
		},
		Rules:    process.Rules{Trust: trust, DNS: true},
		Ledger:   l,
		Log:      o.Log,
		Observer: watch.Observer{Committed: d.print},
	}
	err = account.Run(ctx, false)
	cancel()
	if feedErr := <-fed; feedErr != nil {
		return feedErr
	}
	if err != nil && ctx.Err() == nil {
		return err
	}
	fmt.Fprintf(stdout, "\nNow with your own messages. The first three commands change nothing:\n"+
		"  fblwatch parse FILE                   an mbox, Maildir or .eml\n"+
		"  fblwatch sweep --url imaps://USER@HOST/FOLDER --dry-run\n"+
		"  fblwatch check -c config.yaml --sample 200     what to trust\n"+
		"  fblwatch watch -c config.yaml         every folder, for ever\n")
	return nil
}

// demo delivers messages and prints the records they make.
type demo struct {
	stdout io.Writer
	server *imapServer
	signer *dkimSigner
	table  *terminal.Table
	sent   int
	left   int // records until enough; 0: no end
	enough func()

	mu        sync.Mutex
	delivered map[uint32]time.Time // by UID
}

const indent = "           " // as wide as a delay

// deliver sends the next message. Of each five the third is forged and the last is a
// bounce, which makes no record.
func (d *demo) deliver() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent++
	message := sample.Report(d.sent, 0)
	switch d.sent % 5 {
	case 0:
		message = sample.Message(d.sent, "dsn")
	case 3:
	default:
		message = d.signer.sign(message)
	}
	at := time.Now()
	uid, err := d.server.deliver(message)
	d.delivered[uid] = at
	return err
}

func (d *demo) feed(ctx context.Context) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := d.deliver(); err != nil {
				return err
			}
		}
	}
}

// print shows each new record with the time from the delivery of its message.
func (d *demo) print(done ledger.Committed) {
	if len(done.Rows) == 0 && done.Messages > 0 {
		fmt.Fprintln(d.stdout, indent+"a bounce came: it is counted and makes no record")
	}
	for _, row := range done.Rows {
		var r report.Record
		if err := json.Unmarshal(row.JSON, &r); err != nil {
			continue // the ledger's tests hold that it cannot be
		}
		d.mu.Lock()
		delay := time.Since(d.delivered[r.Mailbox.UID])
		d.mu.Unlock()
		line := fmt.Appendf(nil, "+%.3f s   ", delay.Seconds())
		_, _ = d.stdout.Write(d.table.AppendRow(line, recordtable.Cells(&r)[1:])) // a closed stdout ends the program
		if d.left--; d.left == 0 {
			d.enough()
			return
		}
	}
}
