package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"

	"github.com/fblwatch/fblwatch/internal/nearest"
)

// mostNames limits a list of names.
const mostNames = 20

// nothing explains why no record matches q, with the values that exist. It has a
// line for each option that matches nothing even alone.
func nothing(ctx context.Context, reader ledger.Reader, q ledger.Query) (lines []string, err error) {
	counts, err := reader.Counts(ctx, time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	folders, err := reader.Folders(ctx)
	if err != nil {
		return nil, err
	}
	if len(counts) == 0 {
		return []string{"the ledger has no record yet"}, nil
	}
	accounts, names, providers, kinds := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range folders {
		accounts[f.Folder.Account] = true
		if q.Account == "" || f.Folder.Account == q.Account {
			names[f.Folder.Name] = true
		}
	}
	for _, c := range counts { // by hour
		providers[c.Provider], kinds[c.Event] = true, true
	}
	for _, filter := range []struct {
		what, value string
		there       map[string]bool
	}{
		{"account", q.Account, accounts}, {"folder", q.Folder, names}, {"provider", q.Provider, providers}, {"event", q.Event, kinds},
	} {
		if filter.value != "" && !filter.there[filter.value] {
			lines = append(lines, fmt.Sprintf("no record is of %s %q; %s", filter.what, terminal.Printable(filter.value), thereIs(filter.value, filter.there)))
		}
	}
	if q.ID != "" {
		lines = append(lines, fmt.Sprintf("no record has the id %q; an id has 32 hexadecimal digits, and a record's id .1, .2 and so on after them", terminal.Printable(q.ID)))
	}
	first, last := counts[0].Hour, counts[len(counts)-1].Hour.Add(time.Hour)
	switch {
	case !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until):
		lines = append(lines, "--since must be before --until")
	case !q.Since.IsZero() && !q.Since.Before(last), !q.Until.IsZero() && !q.Until.After(first):
		lines = append(lines, fmt.Sprintf("no record was received in that time; the ledger has records from %s to %s", terminal.ShortTime(first), terminal.ShortTime(last)))
	}
	if len(lines) == 0 {
		lines = []string{fmt.Sprintf("no record matches all options; the ledger has records of %s, received from %s to %s",
			listOf(providers), terminal.ShortTime(first), terminal.ShortTime(last))}
	}
	return lines, nil
}

// thereIs names the nearest value, and all that exist.
func thereIs(value string, there map[string]bool) string {
	if len(there) == 0 {
		return "the ledger has none"
	}
	text := "the ledger has: " + listOf(there)
	if near := nearest.Word(value, slices.Sorted(maps.Keys(there))); near != "" {
		text = fmt.Sprintf("did you mean %q? ", terminal.Printable(near)) + text
	}
	return text
}

func listOf(names map[string]bool) string {
	list := slices.Sorted(maps.Keys(names))
	more := ""
	if n := len(list) - mostNames; n > 0 {
		list, more = list[:mostNames], fmt.Sprintf(" and %d more", n)
	}
	for i := range list {
		list[i] = terminal.Printable(terminal.Cut(list[i], longExample))
	}
	return strings.Join(list, ", ") + more
}

// sayNothing prints the lines of nothing.
func (p *program) sayNothing(ctx context.Context, reader ledger.Reader, q ledger.Query) error {
	lines, err := nothing(ctx, reader, q)
	for _, line := range lines {
		fmt.Fprintln(p.stderr, line)
	}
	return err
}

// sayNobody explains an empty list of suppress.
func (p *program) sayNobody(ctx context.Context, reader ledger.Reader, since time.Time) error {
	waiting := 0
	for _, err := range reader.Records(ctx, ledger.Query{Since: since, Verdict: string(report.SuppressReview), Limit: mostWaiting + 1}) {
		if err != nil {
			return err
		}
		waiting++
	}
	switch {
	case waiting > mostWaiting:
		fmt.Fprintf(p.stderr, "nobody to suppress: more than %d records wait for review; see trust in the config, and fblwatch review\n", mostWaiting)
	case waiting == 1:
		fmt.Fprintln(p.stderr, "nobody to suppress: 1 record waits for review; see trust in the config, and fblwatch review")
	case waiting > 0:
		fmt.Fprintf(p.stderr, "nobody to suppress: %d records wait for review; see trust in the config, and fblwatch review\n", waiting)
	case !since.IsZero():
		return p.sayNothing(ctx, reader, ledger.Query{Since: since})
	default:
		fmt.Fprintln(p.stderr, "nobody to suppress: no record of the ledger has verdict yes, and none waits for review")
	}
	return nil
}

// mostWaiting is where counting ends.
const mostWaiting = 100_000
