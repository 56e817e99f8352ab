package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/internal/watch"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "see it work without a set-up: an IMAP server, sample reports and a watch",
		Description: "Runs until Ctrl-C. Everything is on this machine and is deleted at the end.\n\n" +
			"Example: fblwatch demo --count 5",
		Flags: []cli.Flag{
			numberFlag("count", "stop after `N` records; 0 means never", 0),
		},
		Action: p.demo,
	}
}

const (
	demoMessages = 3               // in the folder at the start
	demoEvery    = 2 * time.Second // a new one
)

func (p *program) demo(c *cli.Context) error {
	if c.Int("count") < 0 {
		return wrong(errors.New("--count must be 0 or more"), "")
	}
	_, err := fmt.Fprintln(p.stdout, "Starting an IMAP server with sample reports, and a watch of it. Everything\nis on this machine and is deleted at the end.")
	if err != nil {
		return err
	}
	// In memory: right after a build a disk may take seconds to sync a commit,
	// and a demo that waits for it shows the disk.
	l := memory.New()
	signer, err := newDemoSigner()
	if err != nil {
		return err
	}
	trust, err := trust.New(demoTrust, signer, nil)
	if err != nil {
		return err
	}
	server, err := startDemoServer()
	if err != nil {
		return err
	}
	defer server.close()

	fmt.Fprintf(p.stdout, "An IMAP server for this demo listens on 127.0.0.1:%d. %d messages wait\n"+
		"in its INBOX. A new one arrives every %v, and its record a moment later.\n"+
		"Ctrl-C ends it.\n\n"+
		"Trust is set up: %s signs its reports with a new key. Its\n"+
		"complaints get the verdict yes. Some reports are forged, as anybody could do:\n"+
		"they have no signature and get the verdict review.\n\n", server.port(), demoMessages, demoEvery, demoReporter)
	ctx, cancel := context.WithCancel(c.Context)
	defer cancel()
	room := terminal.Width(p.stdout)
	if room > 0 {
		room = max(1, room-len(demoIndent))
	}
	d := demo{p: p, server: server, signer: signer, table: terminal.NewTable(recordColumns[1:], room, p.colours(p.stdout)), left: c.Int("count"), enough: cancel, delivered: map[uint32]time.Time{}}
	if _, err := p.stdout.Write(d.table.AppendHead([]byte(demoIndent))); err != nil {
		return err
	}
	for range demoMessages {
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
				return imapclient.Credentials{Username: demoUser, Password: imapclient.Secret(server.password)}, nil
			},
		},
		Rules:    process.Rules{Trust: trust, DNS: true},
		Ledger:   l,
		Log:      p.logger(settings.LogConfig{Level: "warn"}),
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
	fmt.Fprintf(p.stdout, "\nNow with your own messages. The first three commands change nothing:\n"+
		"  fblwatch parse FILE                   an mbox, Maildir or .eml\n"+
		"  fblwatch sweep --url imaps://USER@HOST/FOLDER --dry-run\n"+
		"  fblwatch check -c config.yaml --sample 200     what to trust\n"+
		"  fblwatch watch -c config.yaml         every folder, for ever\n")
	return nil
}

// demo delivers messages and prints the records they make.
type demo struct {
	p      *program
	server *demoServer
	signer *demoSigner
	table  *terminal.Table
	sent   int
	left   int // records until enough; 0: no end
	enough func()

	mu        sync.Mutex
	delivered map[uint32]time.Time // by UID
}

const demoIndent = "           " // as wide as a delay

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
	ticker := time.NewTicker(demoEvery)
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
		fmt.Fprintln(d.p.stdout, demoIndent+"a bounce came: it is counted and makes no record")
	}
	for _, row := range done.Rows {
		var r report.Record
		if err := json.Unmarshal(row.JSON, &r); err != nil {
			continue // the ledger's tests hold that it cannot be
		}
		d.mu.Lock()
		delay := time.Since(d.delivered[some(r.Mailbox).UID])
		d.mu.Unlock()
		line := fmt.Appendf(nil, "+%.3f s   ", delay.Seconds())
		_, _ = d.p.stdout.Write(d.table.AppendRow(line, recordCells(&r)[1:])) // a closed stdout ends the program
		if d.left--; d.left == 0 {
			d.enough()
			return
		}
	}
}
