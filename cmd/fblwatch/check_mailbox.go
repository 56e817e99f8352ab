package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/survey"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/watch"
	"github.com/fblwatch/fblwatch/report"
)

const (
	junkSample  = 50 // messages of a folder for junk that check looks at
	nearlyFull  = 90 // per cent of a quota
	junkPrefix  = 16 << 10
	storageUnit = "STORAGE" // of 1,024 octets (RFC 9208 section 5.1)
)

// quota prints how full the mailbox is. Its error ends the session.
func (t *trial) quota(ctx context.Context, client *imapclient.Client, account, folder string) error {
	quotas, err := client.Quota(ctx, folder)
	var refused *imapclient.ResponseError
	switch {
	case errors.Is(err, imapclient.ErrNoQuota), errors.As(err, &refused):
		return nil
	case err != nil:
		t.fail(account, err)
		return err
	}
	for _, q := range quotas {
		if q.Limit == 0 {
			continue
		}
		share := float64(q.Used) / float64(q.Limit) * 100
		what := fmt.Sprintf("quota of %s: %d of %d used (%.0f%%)", strings.ToLower(q.Resource), q.Used, q.Limit, share)
		if q.Resource == storageUnit {
			what = fmt.Sprintf("quota: %d of %d MB used (%.0f%%)", q.Used/1024, q.Limit/1024, share)
		}
		if share < nearlyFull {
			t.ok(account, "%s", what)
			continue
		}
		t.fail(account, failed(errors.New(what), "reports bounce from a full mailbox: after in the config can remove messages that were read"))
	}
	return nil
}

// junk looks for reports that a filter has moved to a folder that is not read. Its
// error ends the session.
func (t *trial) junk(ctx context.Context, client *imapclient.Client, account string, watched []string) error {
	lists, err := client.List(ctx, "*")
	var refused *imapclient.ResponseError
	if errors.As(err, &refused) {
		return nil
	} else if err != nil {
		t.fail(account, err)
		return err
	}
	for _, l := range lists {
		if !isJunk(l) || slices.Contains(watched, l.Mailbox) {
			continue
		}
		n, of, err := reportsIn(ctx, client, l.Mailbox)
		if err != nil {
			t.fail(account, err)
			return err
		}
		if n == 0 {
			t.ok(account, "no report among the newest %s in %s", terminal.Plural(of, "message"), l.Mailbox)
			continue
		}
		t.fail(account, failed(fmt.Errorf("%d of the newest %s in %s are feedback reports", n, terminal.Plural(of, "message"), l.Mailbox),
			"exempt them from the filter, or read this folder too"))
	}
	return nil
}

// isJunk reports whether a folder is for junk, by its use (RFC 6154) or, on servers
// without uses, by its name.
func isJunk(l imapclient.List) bool {
	if !l.Selectable() {
		return false
	}
	if slices.ContainsFunc(l.Attrs, func(a string) bool { return strings.EqualFold(a, `\Junk`) }) {
		return true
	}
	name := l.Mailbox
	if l.Delim != 0 {
		name = name[strings.LastIndex(name, string(l.Delim))+1:]
	}
	return slices.ContainsFunc([]string{"Junk", "Junk E-mail", "Junk Email", "Spam", "Bulk Mail"}, func(s string) bool { return strings.EqualFold(s, name) })
}

// reportsIn counts the reports among the newest messages of a folder, without a
// trace. A folder that cannot be opened has none.
func reportsIn(ctx context.Context, client *imapclient.Client, folder string) (n, of int, err error) {
	var refused *imapclient.ResponseError
	selected, err := client.Examine(ctx, folder)
	if errors.As(err, &refused) || errors.Is(err, imapclient.ErrUIDValidity) {
		return 0, 0, nil
	}
	if err != nil || selected.Exists == 0 {
		return 0, 0, err
	}
	uids, err := survey.Newest(ctx, client, junkSample, selected.UIDNext)
	if err != nil || len(uids) == 0 {
		return 0, 0, err
	}
	for message, err := range client.Fetch(ctx, uids, junkPrefix) {
		if errors.As(err, &refused) {
			break
		} else if err != nil {
			return n, of, err
		}
		if of++; report.ParsePrefix(message.Body, message.Size).Kind == report.KindReport {
			n++
		}
		message.Release()
	}
	return n, of, nil
}

// after checks whether the after-actions are possible in a folder. It opens the folder
// by SELECT, because EXAMINE does not show what can be changed, and changes nothing.
// Its error ends the session.
func (t *trial) after(ctx context.Context, client *imapclient.Client, account, folder string, after watch.After) error {
	opened, err := client.Select(ctx, folder)
	if refuses(err) || errors.Is(err, imapclient.ErrUIDValidity) {
		return nil // reported when it is examined
	} else if err != nil {
		t.fail(account, err)
		return err
	}
	obstacles, missing, err := after.Obstacles(ctx, client, opened)
	for _, obstacle := range obstacles {
		t.fail(account+": after", &watch.ActionError{Folder: folder, Err: obstacle})
	}
	for _, name := range missing {
		if t.made[account+" "+name] {
			continue
		}
		if t.made == nil {
			t.made = make(map[string]bool)
		}
		t.made[account+" "+name] = true
		t.ok(account+": after", "folder %s does not exist yet: the first move creates it", name)
	}
	if err != nil {
		t.fail(account, err)
	}
	return err
}
