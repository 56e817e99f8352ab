package main

import (
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
	"github.com/fblwatch/fblwatch/internal/watch"
	"github.com/fblwatch/fblwatch/report"
)

const (
	mostSamples  = 1000     // mails of a folder
	mostUnknown  = 2000     // reports to propose rules by, of all folders
	samplePrefix = 64 << 10 // octets of a mail
	longExample  = 60       // runes of a value that is shown
)

// sampleFlag is the option of check that reads mails.
func sampleFlag() cli.Flag {
	return numberFlag("sample", "read the newest `N` mails of each folder, 1,000 at most, say what share of the complaints is identified, and propose rules for the rest", 0)
}

// sampling is what a sample of the mails shows; nil: none was asked for.
type sampling struct {
	most      int // mails of a folder
	reading   watch.Reading
	seen      map[string]bool // report_ids: a report may lie in two folders
	providers map[string]*identified
	unknown   []*report.Report // with a complaint that names no subscriber
}

// identified counts a provider's complaints.
type identified struct{ of, n int }

func share(of map[string]*identified, provider string) *identified {
	if of[provider] == nil {
		of[provider] = new(identified)
	}
	return of[provider]
}

func (i *identified) add(n int, known bool) {
	if i.of += n; known {
		i.n += n
	}
}

func newSampling(c *cli.Context) (*sampling, error) {
	n := c.Int("sample")
	if !c.IsSet("sample") {
		return nil, nil
	}
	if n < 1 || n > mostSamples {
		return nil, wrong(fmt.Errorf("--sample is not between 1 and %d", mostSamples), "")
	}
	return &sampling{most: n, seen: make(map[string]bool), providers: make(map[string]*identified)}, nil
}

// by has the sample read like the config's mails. Whether they are genuine, and
// where they came from, are other questions, and ask the DNS.
func (s *sampling) by(reading watch.Reading) {
	if s != nil {
		reading.Trust, reading.Enrich = nil, nil
		s.reading = reading
	}
}

// folder reads the newest mails of the open folder and says how many it read;
// where the server refused some, that is no error.
func (s *sampling) folder(ctx context.Context, client *imapclient.Client, next uint32) (read int, err error) {
	if client.Empty() { // some servers refuse a SEARCH there
		return 0, nil
	}
	uids, err := newest(ctx, client, s.most, next)
	if err != nil {
		return 0, err
	}
	for mail, err := range client.Fetch(ctx, uids, samplePrefix) {
		if refused := (*imapclient.ResponseError)(nil); errors.As(err, &refused) {
			break
		} else if err != nil {
			return read, err
		}
		if !mail.Gone && !mail.Bodyless && !mail.Withheld {
			s.mail(ctx, mail)
			read++
		}
		mail.Release()
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

func (s *sampling) mail(ctx context.Context, mail *imapclient.Mail) {
	r := report.Parse(mail.Body, mail.Size)
	if s.seen[r.ID] {
		return
	}
	s.seen[r.ID] = true
	records, _ := s.reading.Records(ctx, r, mail.Body, true, report.Envelope{ReceivedAt: mail.InternalDate})
	unknown := false
	for _, record := range records {
		if record.Event != report.Complaint && record.Event != report.OptOut {
			continue
		}
		known := some(record.Identity).Subscriber != ""
		share(s.providers, record.Provider).add(1, known)
		unknown = unknown || !known
	}
	if unknown && len(s.unknown) < mostUnknown {
		s.unknown = append(s.unknown, r)
	}
}

// print shows the shares, then a config to paste.
func (s *sampling) print(w io.Writer) {
	fmt.Fprintln(w)
	if len(s.providers) == 0 {
		fmt.Fprintln(w, "no complaint is among the mails of the sample")
		return
	}
	list := sheet{columns: []column{{title: "PROVIDER"}, {title: "COMPLAINTS"}, {title: "IDENTIFIED"}}}
	var all identified
	for _, name := range slices.Sorted(maps.Keys(s.providers)) {
		count := s.providers[name]
		all.of += count.of
		all.n += count.n
		list.row(name, fmt.Sprint(count.of), count.known())
	}
	list.row("all", fmt.Sprint(all.of), all.known())
	_ = list.write(w, terminalWidth(w), false) // as the lines before
	if len(s.unknown) > 0 {
		s.propose(w)
	}
}

func (i identified) known() string { return fmt.Sprintf("%d (%d%%)", i.n, i.n*100/i.of) }

// propose writes rules for the reports that no rule identifies: the best one,
// the others commented out.
func (s *sampling) propose(w io.Writer) {
	proposals := slices.DeleteFunc(identify.Propose(s.unknown), func(p identify.Proposal) bool {
		rule := p.Rule.From + p.Rule.Match
		return rule != printable(rule) // nobody could paste it
	})
	fmt.Fprintln(w)
	if len(proposals) == 0 {
		fmt.Fprintf(w, "no header field of the %s that name no subscriber looks like a token\n", plural(len(s.unknown), "report"))
		return
	}
	fmt.Fprintf(w, "# A rule to try, made of the %s that name no subscriber.\n", plural(len(s.unknown), "report"))
	fmt.Fprintln(w, "# See that the example's token is what your list knows a subscriber by.")
	fmt.Fprintln(w, "identify:\n  rules:")
	mark := "    "
	for _, p := range proposals {
		fmt.Fprintf(w, "    # in %s, e.g. %s\n", plural(p.Mails, "report"), cut(printable(p.Example), longExample))
		fmt.Fprintf(w, "%s- from: %s\n%s  match: %s\n", mark, quoted(p.Rule.From), mark, quoted(p.Rule.Match))
		mark = "    # "
	}
}

// quoted is s as YAML reads it back, in our config: ${ begins a variable there.
func quoted(s string) string {
	return "'" + strings.NewReplacer("'", "''", "${", "$${").Replace(s) + "'"
}
