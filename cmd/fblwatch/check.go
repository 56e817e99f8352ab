package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/plainfile"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/subprocess"
	"github.com/fblwatch/fblwatch/internal/suppress"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/watch"
)

func (p *program) checkCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "try the config: ledger, connection, login and folders; change nothing",
		Description: "Prints a line for each check; the exit code is 1 if one failed.\n\n" +
			"Example: fblwatch check -c config.yaml\n" +
			"Example: fblwatch check -c config.yaml --sample 200",
		Flags:  append(sessionFlags(), sampleFlag()),
		Action: p.check,
	}
}

func (p *program) check(c *cli.Context) error {
	config, err := p.setup(c)
	if err != nil {
		return err
	}
	sample, err := p.sampling(c)
	if err != nil {
		return err
	}
	t := trial{p: p, sample: sample}
	resolver := p.resolver
	if sample != nil {
		resolver = sample.Resolver()
	}
	reading, err := config.Rules(resolver)
	if err == nil && sample != nil {
		err = sample.ReadBy(reading, config)
	}
	if err != nil {
		t.fail("config", err)
		t.sample = nil // it would not be read by the config
	} else {
		t.ok("config", "%s", terminal.Plural(len(config.Accounts), "account"))
	}
	for _, text := range config.Exposed() {
		t.say("warning", "config", text)
	}
	for _, text := range config.Superseded() {
		t.say("hint", "config", text)
	}
	whom := config.Believed()
	if !whom.IsSet() {
		t.ok("trust", "own is not set, so no verdict is yes: check --sample 200 proposes what to set")
	}
	for _, text := range whom.Warnings() {
		t.say("warning", "config", text)
	}
	t.outlets(c.Context, config)
	t.ledger(c.Context, config)
	for _, a := range config.Accounts {
		t.ok(a.Name, "mailbox: %s", whom.System(a.Name))
		t.account(c.Context, a)
	}
	if c.Context.Err() != nil {
		return c.Context.Err()
	}
	if t.sample != nil {
		t.rivals(t.sample.Rivals)
		t.sample.Print(c.Context, p.stdout)
		if c.Context.Err() != nil {
			return c.Context.Err()
		}
	}
	if t.failed > 0 {
		return fmt.Errorf("%s failed", terminal.Plural(t.failed, "check"))
	}
	return nil
}

func (t *trial) ledger(ctx context.Context, config *settings.Config) {
	path := config.Ledger
	reader, err := backend.OpenReader(ctx, path)
	if errors.Is(err, ledger.ErrNone) {
		file, err := backend.Path(path)
		if err == nil {
			err = plainfile.Writable(file)
		}
		if err != nil {
			t.fail("ledger", fmt.Errorf("%s does not exist yet, and cannot be created: %w", path, err))
			return
		}
		t.ok("ledger", "%s does not exist yet; the first sweep or watch creates it", path)
		return
	} else if err != nil {
		t.fail("ledger", err)
		return
	}
	defer reader.Close()
	folders, err := reader.Folders(ctx)
	if err != nil {
		t.fail("ledger", err)
		return
	}
	t.ok("ledger", "%s knows %s", path, terminal.Plural(len(folders), "folder"))
	t.withheld(folders)
	states, err := reader.States(ctx)
	if err != nil {
		t.fail("ledger", err)
		return
	}
	written, err := backend.Written(ctx, path)
	t.unwritten = err == nil && !written
	states = reported(states, config)
	for _, state := range states {
		t.state(state, time.Now())
	}
	if err := t.queues(ctx, reader, states, config.AllSinks(), time.Now()); err != nil {
		t.fail("ledger", err)
		return
	}
	feeds, err := suppress.Feeds(ctx, reader, time.Now())
	if err != nil {
		t.fail("ledger", err)
		return
	}
	for _, f := range feeds {
		if f.Silent(time.Now()) {
			t.say("SILENT", "feed "+f.Name, feedText(f, time.Now()))
		} else {
			t.ok("feed "+f.Name, "%s", feedText(f, time.Now()))
		}
	}
}

func (t *trial) account(ctx context.Context, a settings.Account) {
	options, err := t.p.imapOptions(a)
	if err != nil {
		t.fail(a.Name, err)
		return
	}
	client, err := imapclient.Dial(ctx, options)
	if err != nil {
		t.fail(a.Name, err)
		return
	}
	defer client.Close()
	t.ok(a.Name, "logged in as %s at %s:%d", a.URL.User, a.URL.Host, a.URL.Port)
	if err := a.After.Refusal(client.Has); err != nil {
		t.fail(a.Name+": after", err)
	}
	if client.Has("IDLE") {
		t.ok(a.Name, "the server announces new messages at once (IDLE)")
	} else {
		t.ok(a.Name, "the server has no IDLE: watch polls every minute")
	}
	var watched []string
	for _, folder := range a.FolderNames() {
		names, err := t.folder(ctx, client, a.Name, folder, a.After)
		if err != nil {
			return // the session is over
		}
		watched = append(watched, names...)
	}
	if t.quota(ctx, client, a.Name, "INBOX") != nil || t.junk(ctx, client, a.Name, watched) != nil {
		return
	}
	_ = client.Logout(ctx)
}

// folder tries a folder, or all that match a pattern, and returns their names;
// its error ends the session.
func (t *trial) folder(ctx context.Context, client *imapclient.Client, account, name string, after watch.After) (names []string, err error) {
	names = []string{name}
	if strings.ContainsAny(name, "*%") {
		lists, err := client.List(ctx, name)
		if refuses(err) {
			t.fail(account, &watch.FolderError{Folder: name, Err: err})
			return nil, nil
		} else if err != nil {
			t.fail(account, err)
			return nil, err
		}
		names = nil
		for _, l := range lists {
			if l.Selectable() && !slices.Contains(after.Targets(), l.Mailbox) {
				names = append(names, l.Mailbox)
			}
		}
		if len(names) == 0 {
			t.fail(account, &watch.FolderError{Folder: name, Err: errors.New("no folder matches")})
		}
	}
	if after != (watch.After{}) {
		for _, name := range names {
			if err := t.after(ctx, client, account, name, after); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range names {
		selected, err := client.Examine(ctx, name)
		refused := (*imapclient.ResponseError)(nil)
		switch {
		case errors.As(err, &refused), errors.Is(err, imapclient.ErrUIDValidity):
			t.fail(account, &watch.FolderError{Folder: name, Err: err})
		case err != nil:
			t.fail(account, err)
			return nil, err
		default:
			t.ok(account, "folder %s: %s", name, terminal.Plural(int(selected.Exists), "message"))
			if t.sample == nil {
				continue
			}
			read, err := t.sample.Folder(ctx, client, account, selected.UIDNext)
			if refuses(err) {
				t.fail(account, &watch.FolderError{Folder: name, Err: err})
				continue
			} else if err != nil {
				t.fail(account, err)
				return nil, err
			}
			t.ok(account, "folder %s: read the newest %s", name, terminal.Plural(read, "message"))
		}
	}
	return names, nil
}

// outlets looks for the programs of the config's hooks and sinks, and asks whether the
// files can be written.
func (t *trial) outlets(ctx context.Context, config *settings.Config) {
	find := func(what string, command subprocess.Command) {
		if err := command.Find(); err != nil {
			t.fail(what, err)
		} else {
			t.ok(what, "%s is there", command[0])
		}
	}
	hooks := config.Hooks.Commands()
	for _, event := range slices.Sorted(maps.Keys(hooks)) {
		find("hooks."+event, hooks[event])
	}
	for _, s := range config.AllSinks() {
		if s.Name == sink.HookRecordName && config.Hooks.Record != nil {
			continue // one of the hooks
		}
		if said, err := sink.Probe(ctx, s); err != nil {
			t.fail("sinks."+s.Name, err)
		} else {
			t.ok("sinks."+s.Name, "%s", said)
		}
	}
}
