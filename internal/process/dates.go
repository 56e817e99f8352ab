package process

import (
	"time"

	"github.com/fblwatch/fblwatch/report"
)

const (
	clockSlack = 24 * time.Hour     // by which a header's clock may be ahead of ours
	maxDelay   = 7 * 24 * time.Hour // between the date in a header and the commit
)

// Folder is the history of the folder that a message comes from, for its date.
type Folder struct {
	FirstSeen  time.Time     // when it was first read
	LastCommit time.Time     // of the last commit; zero: none
	Since      time.Duration // how old a message may have been at FirstSeen to be acted upon; 0: any age
	Live       func() bool   // reports whether the message came after the folder was first read; asked only without an InternalDate
}

// dated returns when a message was received, the same for the ledger, and the
// reasons not to act on it.
func (f Folder) dated(internal time.Time, r *report.Report) (at, noted time.Time, doubts []report.Reason) {
	if !internal.IsZero() {
		return internal, internal, Doubts(internal, f.FirstSeen, f.Since)
	}
	live := f.Live()
	at = f.received(r, live)
	switch {
	case !live:
		return at, at, Doubts(at, f.FirstSeen, f.Since)
	case at.IsZero(): // it came since the folder was looked at last
		return at, time.Now(), nil
	}
	return at, at, nil
}

// received is when a message without INTERNALDATE was received: the date of its
// topmost Received, else its Date. Zero: neither says so. live: the message came
// after the folder was first read.
//
// The topmost Received is the receiving server's own on nearly all servers. A Date,
// and a Received if the server writes none, are the sender's and may say anything.
// This is what a wrong date can do:
//   - In the future it counts for nothing, so that no record outlives its time.
//   - A live message never becomes history by it. Its date counts only from a week
//     before the folder's last commit, so that complaints cannot be spread over
//     the past to stay below the brake of each day.
//   - A message of the first contact's backlog becomes young by it, which its
//     sender has as well by sending it today; or old, and then a person decides.
//   - No expired signature becomes valid by it: that is compared with today.
func (f Folder) received(r *report.Report, live bool) time.Time {
	now := time.Now()
	for _, at := range []time.Time{r.Outer.Received, r.Outer.Date} {
		switch {
		case at.IsZero(), at.After(now.Add(clockSlack)):
		case live && at.Before(f.FirstSeen.Add(-maxDelay)), live && at.Before(f.LastCommit.Add(-maxDelay)):
		case at.After(now):
			return now
		default:
			return at
		}
	}
	return time.Time{}
}

// Doubts are the reasons to let a person decide about a message. A message received
// more than since before the folder's first contact is history.
func Doubts(received, contact time.Time, since time.Duration) []report.Reason {
	if since <= 0 || contact.IsZero() || !received.Before(contact.Add(-since)) {
		return nil
	}
	return []report.Reason{{Code: report.CodeHistory, Text: "older than since at first contact"}}
}
