package survey

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

const (
	longExample = 60  // columns of a value that is shown
	longCause   = 500 // its end says what is to be done
)

// Print shows the verdicts, their causes, then a config to paste.
func (s *Survey) Print(ctx context.Context, w io.Writer) {
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
func (s *Survey) printCauses(w io.Writer, width int) {
	if len(s.causes) == 0 {
		return
	}
	fmt.Fprint(w, "\n"+terminal.Wrap("CAUSE             ", "COMPLAINTS  FOR EXAMPLE", 2, width))
	codes := slices.SortedFunc(maps.Keys(s.causes), func(a, b report.Code) int {
		return cmp.Or(s.causes[b].n-s.causes[a].n, strings.Compare(string(a), string(b)))
	})
	for _, code := range codes {
		c := s.causes[code]
		fmt.Fprint(w, terminal.Wrap(fmt.Sprintf("%-16s  %-10d  ", code, c.n), terminal.Cut(terminal.Printable(c.text), longCause), 30, width))
	}
}

// proposeRules writes rules for the reports that no rule identifies: the best one,
// the others commented out.
func (s *Survey) proposeRules(w io.Writer) {
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
