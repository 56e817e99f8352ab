package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

const (
	mostSamples  = 1000     // messages of a folder
	mostUnknown  = 2000     // reports to propose rules by, of all folders
	samplePrefix = 64 << 10 // octets of a message, to begin with
	sampleMost   = 4 << 20  // of one that a signature needs whole
	mostKept     = 64 << 20 // octets of the reports that are judged again; and of the messages that are read whole
	longExample  = 60       // runes of a value that is shown
)

// sampleFlag is the option of check that reads messages.
func sampleFlag() cli.Flag {
	return numberFlag("sample", "read the newest `N` messages of each folder, 1,000 at most; count the verdicts of a sweep without since and brake, and their causes; "+
		"propose whom to trust, by the reports that verify, and rules for those without a subscriber; asks the DNS for the keys of signatures", 0)
}

// sampling is what a sample of the messages shows; nil: none was asked for.
type sampling struct {
	most     int // messages of a folder
	dns      *onceDNS
	progress *terminal.Progress

	reading process.Rules
	trust   trust.Config
	known   process.Rules // by which a report is known to be genuine, whatever the config trusts

	seen      map[string]bool // report_ids: a report may lie in two folders
	providers map[string]*counts
	causes    map[report.Code]*cause
	rivals    []*rivals
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
	if some(record.Identity).Subscriber != "" {
		c.identified++
	}
	switch some(record.Suppress).Verdict {
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

func newSampling(c *cli.Context, p *program) (*sampling, error) {
	n := c.Int("sample")
	if !c.IsSet("sample") {
		return nil, nil
	}
	if n < 1 || n > mostSamples {
		return nil, wrong(fmt.Errorf("--sample must be between 1 and %d", mostSamples), "")
	}
	return &sampling{most: n, dns: newOnceDNS(p.resolver), progress: p.progress(false),
		seen: make(map[string]bool), providers: make(map[string]*counts), causes: make(map[report.Code]*cause)}, nil
}

// by has the sample read like the config's messages, but for where they came from,
// which would ask the DNS for each.
func (s *sampling) by(reading process.Rules, config *settings.Config) error {
	if s == nil {
		return nil
	}
	reading.Enrich = nil
	s.reading, s.known, s.trust = reading, reading, config.Believed()
	verify := true
	trust, err := trust.New(trust.Config{Own: config.Trust.Own, Reporters: config.Trust.Reporters, DKIM: &verify, Timeout: config.Trust.Timeout}, s.dns, config.Providers)
	s.known.Trust = trust
	return err
}

// folder reads the newest messages of the open folder and says how many it read;
// where the server refused some, that is no error.
func (s *sampling) folder(ctx context.Context, client *imapclient.Client, account string, next uint32) (read int, err error) {
	if client.Empty() { // some servers refuse a SEARCH there
		return 0, nil
	}
	defer s.progress.Clear()
	uids, err := newest(ctx, client, s.most, next)
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

// newest finds the last n UIDs of the open folder, without asking for all that
// a big one has; next is the UID that comes next, 0 if not told.
func newest(ctx context.Context, client *imapclient.Client, n int, next uint32) ([]uint32, error) {
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
func (s *sampling) message(ctx context.Context, message *imapclient.Message, account string, last bool) (done bool) {
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
func (s *sampling) count(r *report.Report, complaints []*report.Record) {
	unknown := false
	for _, record := range complaints {
		if s.providers[record.Provider] == nil {
			s.providers[record.Provider] = new(counts)
		}
		s.providers[record.Provider].add(record)
		unknown = unknown || some(record.Identity).Subscriber == ""
		verdict := some(record.Suppress)
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

// print shows the verdicts, their causes, then a config to paste.
func (s *sampling) print(ctx context.Context, w io.Writer) {
	width := terminal.Width(w)
	fmt.Fprintln(w)
	if len(s.providers) == 0 {
		fmt.Fprintln(w, "the sample has no complaint")
		return
	}
	list := terminal.Sheet{Columns: []terminal.Column{{Title: "PROVIDER"}, {Title: "COMPLAINTS"}, {Title: "YES"}, {Title: "REVIEW"}, {Title: "NO"}, {Title: "IDENTIFIED"}}}
	var all counts
	row := func(name string, c counts) {
		list.Row(name, fmt.Sprint(c.all), fmt.Sprint(c.yes), fmt.Sprint(c.review), fmt.Sprint(c.no), fmt.Sprintf("%d (%d%%)", c.identified, c.identified*100/c.all))
	}
	for _, name := range slices.Sorted(maps.Keys(s.providers)) {
		c := *s.providers[name]
		all = counts{all.all + c.all, all.identified + c.identified, all.yes + c.yes, all.review + c.review, all.no + c.no}
		row(name, c)
	}
	row("all", all)
	_ = list.Write(w, width, false) // as the lines before
	s.printCauses(w, width)
	s.proposeTrust(ctx, w, width)
	if len(s.unknown) > 0 {
		s.proposeRules(w)
	}
}

// printCauses lists why complaints are not yes, the most frequent first.
func (s *sampling) printCauses(w io.Writer, width int) {
	if len(s.causes) == 0 {
		return
	}
	fmt.Fprint(w, "\n"+terminal.Wrap("CAUSE             ", "COMPLAINTS  FOR EXAMPLE", 2, width))
	codes := slices.SortedFunc(maps.Keys(s.causes), func(a, b report.Code) int {
		return cmp.Or(s.causes[b].n-s.causes[a].n, strings.Compare(string(a), string(b)))
	})
	for _, code := range codes {
		c := s.causes[code]
		fmt.Fprint(w, terminal.Wrap(fmt.Sprintf("%-16s  %-10d  ", code, c.n), terminal.Cut(terminal.Printable(c.text), longReason), 30, width))
	}
}

// proposeRules writes rules for the reports that no rule identifies: the best one,
// the others commented out.
func (s *sampling) proposeRules(w io.Writer) {
	proposals := slices.DeleteFunc(identify.Propose(s.unknown), func(p identify.Proposal) bool {
		rule := p.Rule.From + p.Rule.Match
		return rule != terminal.Printable(rule) // nobody could paste it
	})
	fmt.Fprintln(w)
	if len(proposals) == 0 {
		fmt.Fprintf(w, "%s without a subscriber: no header field looks like a token\n", terminal.Plural(len(s.unknown), "report"))
		return
	}
	fmt.Fprintf(w, "# A rule to try, from %s without a subscriber.\n", terminal.Plural(len(s.unknown), "report"))
	fmt.Fprintln(w, "# Check that the token of the example is a subscriber's key in your list.")
	fmt.Fprintln(w, "identify:\n  rules:")
	mark := "    "
	for _, p := range proposals {
		fmt.Fprintf(w, "    # in %s, e.g. %s\n", terminal.Plural(p.Messages, "report"), terminal.Cut(terminal.Printable(p.Example), longExample))
		fmt.Fprintf(w, "%s- from: %s\n%s  match: %s\n", mark, quoted(p.Rule.From), mark, quoted(p.Rule.Match))
		mark = "    # "
	}
}

// quoted is s as YAML reads it back, in our config: ${ begins a variable there.
func quoted(s string) string {
	return "'" + strings.NewReplacer("'", "''", "${", "$${").Replace(s) + "'"
}
