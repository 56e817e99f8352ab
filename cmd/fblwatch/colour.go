package main

// colours writes verdicts and errors in colour, where a person looks on.
type colours bool

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	plain  = "\x1b[0m"
)

// colours are for a terminal, unless the environment has NO_COLOR
// (no-color.org), or the terminal is dumb.
func (p *program) colours(stream any) colours {
	if !isTerminal(stream) || !p.hasCursor() {
		return false
	}
	no, _ := p.env("NO_COLOR")
	return no == ""
}

// hasCursor tells whether the terminal obeys escape sequences.
func (p *program) hasCursor() bool {
	kind, _ := p.env("TERM")
	return kind != "" && kind != "dumb"
}

func (c colours) in(colour, text string) string {
	if !c || text == "" {
		return text
	}
	return colour + text + plain
}

func (c colours) failure(text string) string { return c.in(red, text) }

func (c colours) verdict(verdict string) string {
	switch verdict {
	case "yes":
		return c.in(green, verdict)
	case "review":
		return c.in(yellow, verdict)
	case "no":
		return c.in(cyan, verdict)
	}
	return verdict
}
