package digest

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/fblwatch/fblwatch/internal/terminal"
)

// section is a part of the digest as people see it.
type section struct {
	Title string
	Rows  [][2]string // name and number, or id and text
	More  string      // "": nothing is left out
	Todo  string      // a command, or ""
	Wide  bool        // the first of each row is an id
}

// sections are those that have something to show, the most urgent first, with so many
// lines of each list at most.
func (d *Digest) sections(lines int) (all []section) {
	list := func(title string, l *List, todo string) {
		if l.Total == 0 {
			return
		}
		s := section{Title: title, Todo: todo, Wide: true}
		shown := l.Shown[:min(len(l.Shown), lines)]
		for _, line := range shown {
			s.Rows = append(s.Rows, [2]string{line.ID, line.Text})
		}
		if n := l.Total - len(shown); n > 0 {
			s.More = fmt.Sprintf("and %d more", n)
		}
		all = append(all, s)
	}
	table := func(title string, t *Table) {
		top, others := t.Top(lines)
		if len(top) == 0 {
			return
		}
		s := section{Title: title}
		for _, c := range top {
			s.Rows = append(s.Rows, [2]string{c.Name, fmt.Sprint(c.N)})
		}
		if others > 0 {
			s.More = fmt.Sprintf("and %d of others", others)
		}
		all = append(all, s)
	}
	list("Alarms", &d.Alarms, "")
	list("Dead letters", &d.Dead, "fblwatch records --dead")
	list("Records to review", &d.Review, ReviewCommand)
	table("Records by event and verdict", &d.Verdicts)
	table("Complaints by provider", &d.Providers)
	table("Complaints by campaign", &d.Campaigns)
	return all
}

// span says when the records were received.
func (d *Digest) span() string {
	if d.First.IsZero() {
		return "No record was received."
	}
	const form = "2006-01-02 15:04"
	text := fmt.Sprintf("Received from %s to %s UTC: %s", d.First.UTC().Format(form), d.Last.UTC().Format(form), terminal.Plural(d.Records, "record"))
	if d.Revisions > 0 {
		text += fmt.Sprintf(", and %d later readings and decisions", d.Revisions)
	}
	return text + "."
}

// Text is the digest as plain text. Its lines end in LF.
func (d *Digest) Text() string { return d.text(d.lines()) }

// Fit returns what show makes of Text, which has fewer lines of each list, but one, if
// that would be more than so many octets.
func (d *Digest) Fit(octets int, show func(text string) string) string {
	for lines := d.lines(); ; lines /= 2 {
		if shown := show(d.text(lines)); len(shown) <= octets || lines <= 1 {
			return shown
		}
	}
}

func (d *Digest) text(lines int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", d.span())
	for _, s := range d.sections(lines) {
		fmt.Fprintf(&b, "\n%s\n", s.Title)
		for _, row := range s.Rows {
			if s.Wide {
				fmt.Fprintf(&b, "  %s  %s\n", row[0], row[1])
			} else {
				fmt.Fprintf(&b, "  %7s  %s\n", row[1], row[0])
			}
		}
		if s.More != "" {
			fmt.Fprintf(&b, "  %s\n", s.More)
		}
		if s.Todo != "" {
			fmt.Fprintf(&b, "  $ %s\n", s.Todo)
		}
	}
	return b.String()
}

var page = template.Must(template.New("digest").Parse(`<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{{.Title}}</title></head><body>
<p>{{.Span}}</p>
{{range .Sections}}<h3>{{.Title}}</h3>
<table>
{{range .Rows}}<tr><td>{{index . 0}}</td><td>{{index . 1}}</td></tr>
{{end}}</table>
{{with .More}}<p>{{.}}</p>
{{end}}{{with .Todo}}<p><code>{{.}}</code></p>
{{end}}{{end}}</body></html>
`))

// HTML is the digest as a page without links, images and scripts.
func (d *Digest) HTML() (string, error) {
	var b strings.Builder
	err := page.Execute(&b, map[string]any{"Title": d.Title(), "Span": d.span(), "Sections": d.sections(d.lines())})
	return b.String(), err
}
