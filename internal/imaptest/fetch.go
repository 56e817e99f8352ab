package imaptest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// item is one thing that a FETCH asks for.
type item struct {
	name    string // UID, FLAGS, INTERNALDATE, RFC822.SIZE or BODY
	section string // of BODY: "", HEADER or TEXT
	peek    bool
	partial bool
	offset  int
	count   int
}

func parseItem(a arg) (item, error) {
	switch name := a.upper(); name {
	case "UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE":
		return item{name: name}, nil
	}
	name, rest, ok := strings.Cut(a.upper(), "[")
	if !ok || name != "BODY" && name != "BODY.PEEK" {
		return item{}, errSyntax
	}
	section, partial, ok := strings.Cut(rest, "]")
	if !ok || section != "" && section != "HEADER" && section != "TEXT" {
		return item{}, errSyntax
	}
	it := item{name: "BODY", section: section, peek: name == "BODY.PEEK"}
	if partial == "" {
		return it, nil
	}
	inner, ok := strings.CutPrefix(partial, "<")
	inner, closed := strings.CutSuffix(inner, ">")
	from, count, dotted := strings.Cut(inner, ".")
	offset, err1 := strconv.ParseUint(from, 10, 31)
	n, err2 := strconv.ParseUint(count, 10, 31)
	if !ok || !closed || !dotted || err1 != nil || err2 != nil || n == 0 {
		return item{}, errSyntax
	}
	it.partial, it.offset, it.count = true, int(offset), int(n)
	return it, nil
}

// cut returns the octets of a message that a BODY item asks for.
func (it item) cut(body []byte) []byte {
	if it.section != "" {
		header, text := body, []byte(nil)
		if i := bytes.Index(body, []byte("\r\n\r\n")); i >= 0 {
			header, text = body[:i+4], body[i+4:]
		}
		if body = header; it.section == "TEXT" {
			body = text
		}
	}
	if it.partial {
		body = body[min(it.offset, len(body)):]
		body = body[:min(it.count, len(body))]
	}
	return body
}

func (c *session) fetch(args []arg) (string, error) {
	if len(args) != 2 || !args[0].atom {
		return "BAD FETCH wants a set and items", nil
	}
	set, err := parseSet(args[0].text)
	if err != nil {
		return "BAD not a sequence set", nil
	}
	asked := args[1].list
	if asked == nil {
		asked = args[1:]
	}
	byUID := c.command == "UID FETCH"
	items := []item{}
	if byUID {
		items = append(items, item{name: "UID"})
	}
	marks := false
	for _, a := range asked {
		it, err := parseItem(a)
		if err != nil {
			return "BAD unknown FETCH item", nil
		}
		if !slices.Contains(items, it) {
			items = append(items, it)
		}
		marks = marks || it.name == "BODY" && !it.peek && !c.readOnly
	}
	messages, lastUID, lastSeq := c.visible()
	if c.srv.Descending {
		slices.Reverse(messages)
	}
	for _, m := range messages {
		in := byUID && set.has(m.UID, lastUID) || !byUID && set.has(m.seq, lastSeq)
		if !in {
			continue
		}
		if err := c.fetchMessage(m, items); err != nil {
			return "", err
		}
		if marks && !slices.Contains(m.Flags, `\Seen`) {
			c.srv.SetFlags(c.box.name, m.UID, append(slices.Clone(m.Flags), `\Seen`)...)
		}
	}
	return "OK FETCH completed", c.syncUID()
}

// fetchMessage writes the FETCH answer of one message. Each literal is a unit, and so
// is the text between two literals.
func (c *session) fetchMessage(m numbered, items []item) error {
	var shape Shape
	if c.srv.Shape != nil {
		shape = c.srv.Shape(c.n, m.UID)
	}
	if shape.Missing {
		return nil
	}
	if shape.UIDLast {
		isUID := func(it item) bool { return it.name == "UID" }
		items = append(slices.DeleteFunc(slices.Clone(items), isUID), item{name: "UID"})
	}
	var line bytes.Buffer
	fmt.Fprintf(&line, "* %d FETCH (", m.seq)
	for i, it := range items {
		if i > 0 {
			line.WriteByte(' ')
		}
		switch it.name {
		case "UID":
			fmt.Fprintf(&line, "UID %d", m.UID)
		case "FLAGS":
			fmt.Fprintf(&line, "FLAGS (%s)", strings.Join(m.Flags, " "))
		case "RFC822.SIZE":
			fmt.Fprintf(&line, "RFC822.SIZE %d", m.Size)
		case "INTERNALDATE":
			date := "NIL"
			if !shape.NilDate {
				date = m.Date.Format(`"_2-Jan-2006 15:04:05 -0700"`)
			}
			if shape.Date != "" {
				date = shape.Date
			}
			fmt.Fprintf(&line, "INTERNALDATE %s", date)
		case "BODY":
			if err := c.fetchBody(&line, m, it, shape); err != nil {
				return err
			}
		}
	}
	line.WriteString(")\r\n")
	return c.emit(Data, m.UID, line.Bytes())
}

func (c *session) fetchBody(line *bytes.Buffer, m numbered, it item, shape Shape) error {
	fmt.Fprintf(line, "BODY[%s]", it.section)
	if it.partial {
		fmt.Fprintf(line, "<%d>", it.offset)
	}
	switch {
	case shape.NilBody:
		line.WriteString(" NIL")
		return nil
	case shape.QuotedBody:
		line.WriteString(` ""`)
		return nil
	case shape.Literal8:
		line.WriteString(" ~")
	default:
		line.WriteString(" ")
	}
	body := m.Body
	if shape.Body != nil {
		body = shape.Body(body)
	}
	octets := it.cut(body)
	fmt.Fprintf(line, "{%d}\r\n", len(octets))
	if err := c.emit(Data, m.UID, line.Bytes()); err != nil {
		return err
	}
	line.Reset()
	return c.emit(Literal, m.UID, octets)
}
