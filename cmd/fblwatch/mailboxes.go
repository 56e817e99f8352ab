package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/fblwatch/fblwatch/internal/mailboxurl"
	"github.com/fblwatch/fblwatch/internal/mailfile"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// maxMessage limits the octets kept of one message. A report needs far fewer.
const maxMessage = 8 << 20

// messageReader yields the messages of one mailbox.
type messageReader func(ctx context.Context, path string) iter.Seq2[mailfile.Message, error]

// mailboxes reads paths. A path that is a URL or a c-client name is a folder on a
// server.
func (p *program) mailboxes(paths []string) (messageReader, error) {
	remote := make(map[string]settings.Account)
	for _, path := range paths {
		if !mailboxurl.IsRemote(path) {
			continue
		}
		a, err := p.named(path, "")
		if err != nil {
			hint := "to name a file instead, begin it with ./"
			if errors.Is(err, mailboxurl.ErrPassword) {
				hint = "set FBLWATCH_PASSWORD, or wait to be asked"
			}
			return nil, wrong(fmt.Errorf("mailbox: %w", err), hint)
		}
		a.URL.Folder = cmp.Or(a.URL.Folder, "INBOX")
		remote[path] = a
	}
	return func(ctx context.Context, path string) iter.Seq2[mailfile.Message, error] {
		if a, ok := remote[path]; ok {
			return p.remoteMessages(ctx, a)
		}
		return filled(ctx, path, mailfile.Read(ctx, path, mailfile.Options{MaxMessage: maxMessage, Stdin: p.stdin}))
	}, nil
}

var errNothing = errors.New("nothing to read")

// filled yields the messages of a named path, and an error if there are none.
func filled(ctx context.Context, path string, messages iter.Seq2[mailfile.Message, error]) iter.Seq2[mailfile.Message, error] {
	return func(yield func(mailfile.Message, error) bool) {
		found, passed := false, 0
		for message, err := range messages {
			switch {
			case err == nil && message.Size == 0 && message.Path == path:
				continue
			case !errors.Is(err, mailfile.ErrNotMessage):
				found = true
			case message.Path == path: // in a directory it may be beside messages
				found = true
				err = failed(errors.New(err.Error()), "name an mbox, a Maildir, an MH folder, a single message or a directory of them; unpack an archive first")
			default:
				passed++
			}
			if !yield(message, err) {
				return
			}
		}
		if found || ctx.Err() != nil {
			return
		}
		what := "is empty"
		if passed > 0 {
			what = fmt.Sprintf("has no message, but %s of another kind", terminal.Plural(passed, "file"))
		} else if info, err := os.Stat(path); err == nil && info.IsDir() {
			what = "has no message"
		}
		yield(mailfile.Message{Path: path}, failed(fmt.Errorf("%w: %s %s", errNothing, path, what), "name a mailbox with messages; fblwatch parse --help lists the kinds of mailboxes"))
	}
}

// readAll yields the messages at all paths. Only the end of ctx stops it early.
func readAll(ctx context.Context, paths []string, read messageReader, yield func(mailfile.Message, error) bool) {
	for _, path := range paths {
		for message, err := range read(ctx, path) {
			if !yield(message, err) || ctx.Err() != nil {
				return
			}
		}
	}
}
