package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/mailfile"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/watch"
)

const (
	remoteMessage = 1 << 20 // octets kept of one message; several wait to be read
	remoteWindow  = 10_000  // UIDs that are asked for at once, to begin with
)

// remoteMessages yields the messages of an account's folder from its first UID on, as
// mailfile.Read yields those of a file. Their Number is the UID. It opens the folder
// by EXAMINE and changes nothing.
func (p *program) remoteMessages(ctx context.Context, a settings.Account) iter.Seq2[mailfile.Message, error] {
	return func(yield func(mailfile.Message, error) bool) {
		if err := p.readFolder(ctx, a, yield); err != nil {
			yield(mailfile.Message{Path: a.URL.Folder}, fmt.Errorf("account %s: %w", a.Name, err))
		}
	}
}

func (p *program) readFolder(ctx context.Context, a settings.Account, yield func(mailfile.Message, error) bool) error {
	options, err := p.imapOptions(a)
	if err != nil {
		return err
	}
	client, err := imapclient.Dial(ctx, options)
	if err != nil {
		return err
	}
	defer client.Close()
	selected, err := client.Examine(ctx, a.URL.Folder)
	if err != nil {
		return &watch.FolderError{Folder: a.URL.Folder, Err: err}
	}
	if client.Empty() { // some servers refuse a SEARCH there
		return client.Logout(ctx)
	}
	next := uint64(selected.UIDNext)
	if next == 0 { // not known
		next = 1 << 32
	}
	for low, width := uint64(1), uint64(remoteWindow); low < next; {
		high := min(low+width, next) - 1
		uids, err := client.Search(ctx, uint32(low), uint32(high))
		if err != nil {
			return err
		}
		if len(uids) < remoteWindow/10 { // they are sparse
			width *= 2
		}
		low = high + 1
		for message, err := range client.Fetch(ctx, uids, remoteMessage) {
			if err != nil {
				return err
			}
			if message.Gone {
				continue
			}
			err = nil
			if message.Bodyless || message.Withheld || len(message.Body) == 0 && message.Size > 0 {
				err = fmt.Errorf("account %s: folder %s: the server returns nothing for message UID %d", a.Name, a.URL.Folder, message.UID)
			}
			more := yield(mailfile.Message{Path: a.URL.Folder, Number: int(message.UID), Body: message.Body, Size: max(message.Size, int64(len(message.Body)))}, err)
			message.Release()
			if !more {
				return nil
			}
		}
	}
	return client.Logout(ctx)
}
