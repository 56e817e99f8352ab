package terminal

// Colours puts verdicts and errors in colour; false leaves them plain.
type Colours bool

// The escape sequences of the colours.
const (
	red    = "\x1b[31m"
	Green  = "\x1b[32m"
	Yellow = "\x1b[33m"
	Cyan   = "\x1b[36m"
	Plain  = "\x1b[0m"
)

// Environment looks up a variable, as os.LookupEnv does.
type Environment = func(name string) (value string, set bool)

// ColoursOf reports whether a stream takes colours: it is a terminal that is not
// dumb, and the environment has no NO_COLOR (no-color.org).
func ColoursOf(stream any, env Environment) Colours {
	if !IsTerminal(stream) || !hasCursor(env) {
		return false
	}
	no, _ := env("NO_COLOR")
	return no == ""
}

// hasCursor reports whether the terminal obeys escape sequences.
func hasCursor(env Environment) bool {
	kind, _ := env("TERM")
	return kind != "" && kind != "dumb"
}

func (c Colours) in(colour, text string) string {
	if !c || text == "" {
		return text
	}
	return colour + text + Plain
}

// Failure returns the word of a failure, in red.
func (c Colours) Failure(text string) string { return c.in(red, text) }

// Verdict returns yes, review or no, each in its colour.
func (c Colours) Verdict(verdict string) string {
	switch verdict {
	case "yes":
		return c.in(Green, verdict)
	case "review":
		return c.in(Yellow, verdict)
	case "no":
		return c.in(Cyan, verdict)
	}
	return verdict
}
