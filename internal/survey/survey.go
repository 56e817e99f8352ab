// Package survey reads a sample of an account's messages, counts the verdicts that a
// sweep would give and their causes, and proposes what to add to the config: whom to
// trust, and rules for reports that name no subscriber.
package survey

import (
	"context"
	"errors"
	"slices"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

const (
	mostUnknown  = 2000     // reports to propose rules by, of all folders
	samplePrefix = 64 << 10 // octets of a message, to begin with
	sampleMost   = 4 << 20  // of one that a signature needs whole
	mostKept     = 64 << 20 // octets of the reports that are judged again; and of the messages that are read whole
)

// Survey is what a sample of the messages shows. It is not for concurrent use.
type Survey struct {
	Rivals []*Rivals // at most mostRivals

	most     int // messages of a folder
	dns      *onceDNS
	progress *terminal.Progress

	reading process.Rules
	trust   trust.Config
	known   process.Rules // by which a report is known to be genuine, whatever the config trusts

	seen      map[string]bool // report_ids: a report may lie in two folders
	providers map[string]*counts
	causes    map[report.Code]*cause
	unknown   []*report.Report // with a complaint that names no subscriber
	kept      []sampled
	octets    int   // of what is kept
	wholes    int64 // octets of messages that are read whole
	left      int   // complaints that are not kept: there are too many octets
}

// counts are a provider's complaints.
type counts struct{ all, identified, yes, review, no int }

func (c *counts) add(record *report.Record) {
	c.all++
	if valueOf(record.Identity).Subscriber != "" {
		c.identified++
	}
	switch valueOf(record.Suppress).Verdict {
	case report.SuppressYes:
		c.yes++
	case report.SuppressNo:
		c.no++
	default:
		c.review++
	}
}

// cause is why complaints are not yes.
type cause struct {
	n    int
	text string // of the first
}

// New makes a Survey of the newest most messages of each folder. resolver finds the
// keys of signatures; nil is the system's. progress may be nil.
func New(most int, resolver trust.Resolver, progress *terminal.Progress) *Survey {
	return &Survey{most: most, dns: newOnceDNS(resolver), progress: progress,
		seen: make(map[string]bool), providers: make(map[string]*counts), causes: make(map[report.Code]*cause)}
}

// Resolver asks the DNS for each name once, and for no longer than two minutes in all.
// The rules of ReadBy must use it.
func (s *Survey) Resolver() trust.Resolver { return s.dns }

// ReadBy has the sample read by the config's rules, but does not ask the DNS where each
// message came from. It precedes Folder.
func (s *Survey) ReadBy(reading process.Rules, config *settings.Config) error {
	reading.Enrich = nil
	s.reading, s.known, s.trust = reading, reading, config.Believed()
	verify := true
	trust, err := trust.New(trust.Config{Own: config.Trust.Own, Reporters: config.Trust.Reporters, DKIM: &verify, Timeout: config.Trust.Timeout}, s.dns, config.Providers)
	s.known.Trust = trust
	return err
}

// Folder reads the newest messages of the open folder and returns how many it read. next
// is the folder's UIDNEXT, 0 if it is not known. If the server refuses some messages,
// that is not an error.
func (s *Survey) Folder(ctx context.Context, client *imapclient.Client, account string, next uint32) (read int, err error) {
	if client.Empty() { // some servers refuse a SEARCH there
		return 0, nil
	}
	defer s.progress.Clear()
	uids, err := Newest(ctx, client, s.most, next)
	if err != nil {
		return 0, err
	}
	for _, octets := range []int64{samplePrefix, sampleMost} {
		var more []uint32 // a signature needs all of these
		for message, err := range client.Fetch(ctx, uids, octets) {
			if refused := (*imapclient.ResponseError)(nil); errors.As(err, &refused) {
				break
			} else if err != nil {
				return read, err
			}
			if message.Gone || message.Bodyless || message.Withheld {
				message.Release()
				continue
			}
			if s.message(ctx, message, account, int64(len(message.Body)) < octets || octets == sampleMost || s.wholes > mostKept) {
				read++
			} else {
				more = append(more, message.UID)
				s.wholes += min(message.Size, sampleMost)
			}
			message.Release()
			s.progress.Show("%s read, %s asked of the DNS", terminal.Plural(read, "message"), terminal.Plural(s.dns.asked(), "name"))
		}
		if uids = more; len(uids) == 0 {
			break
		}
		slices.Sort(uids)
	}
	return read, nil
}

// Newest finds the last n UIDs of the open folder, without asking for all that a big
// one has. next is the folder's UIDNEXT, 0 if it is not known.
func Newest(ctx context.Context, client *imapclient.Client, n int, next uint32) ([]uint32, error) {
	for width := uint32(2 * n); ; width = min(8*width, 1<<28) {
		low := uint32(1)
		if next > width {
			low = next - width
		}
		if width == 1<<28 { // UIDs as sparse as that are few
			low = 1
		}
		uids, err := client.Search(ctx, low, 0)
		if err != nil || len(uids) >= n || low == 1 {
			return uids[max(0, len(uids)-n):], err
		}
	}
}

// message takes in a message, unless more of it is needed; last: there is no more of
// it to be had.
func (s *Survey) message(ctx context.Context, message *imapclient.Message, account string, last bool) (done bool) {
	r := report.ParsePrefix(message.Body, message.Size)
	if s.seen[r.ID] {
		return true
	}
	one := sampled{r: r, envelope: report.Envelope{ReceivedAt: message.InternalDate, Mailbox: &report.Mailbox{Account: account}}, body: message.Body, last: last}
	records, needsWhole := one.records(ctx, s.reading)
	if needsWhole || !last && r.Need() > int64(len(message.Body)) {
		return false
	}
	var complaints []*report.Record
	for i := range records {
		if event := records[i].Event; event == report.Complaint || event == report.OptOut {
			complaints = append(complaints, &records[i])
		}
	}
	if len(complaints) > 0 {
		if needsWhole := s.learn(ctx, &one); needsWhole {
			return false
		}
	}
	s.seen[r.ID] = true
	s.rival(message.Body, account)
	s.count(r, complaints)
	switch one.complaints = len(complaints); {
	case len(complaints) == 0:
	case s.octets+len(message.Body) > mostKept:
		s.left += len(complaints)
	default:
		one.body = slices.Clone(message.Body) // the other is the client's
		s.octets += len(message.Body)
		s.kept = append(s.kept, one)
	}
	return true
}

// count counts the complaints of r.
func (s *Survey) count(r *report.Report, complaints []*report.Record) {
	unknown := false
	for _, record := range complaints {
		if s.providers[record.Provider] == nil {
			s.providers[record.Provider] = new(counts)
		}
		s.providers[record.Provider].add(record)
		unknown = unknown || valueOf(record.Identity).Subscriber == ""
		verdict := valueOf(record.Suppress)
		for i, code := range verdict.Codes {
			if verdict.Verdict == report.SuppressYes {
				break
			}
			if s.causes[code] == nil {
				s.causes[code] = &cause{text: verdict.Reasons[i]}
			}
			s.causes[code].n++
		}
	}
	if unknown && len(s.unknown) < mostUnknown {
		s.unknown = append(s.unknown, r)
	}
}

// valueOf is *p, or a zero value if p is nil.
func valueOf[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}
