package imaptest

import "fmt"

// Part says where in the dialogue a Step is.
type Part string

const (
	Dial     Part = "dial"     // Server.Dial was called; Text is the address
	Greeting Part = "greeting" // before the greeting
	Received Part = "received" // a command was read to its end, nothing answered yet
	Continue Part = "continue" // before a "+" line
	Data     Part = "data"     // before an untagged line, or the rest of one behind a literal
	Literal  Part = "literal"  // before the octets of a literal
	Push     Part = "push"     // before an EXISTS, EXPUNGE or FETCH that nobody asked for
	Idling   Part = "idling"   // IDLE was entered; nothing is written here
	Tagged   Part = "tagged"   // before the tagged answer
	TLS      Part = "tls"      // before the TLS handshake
)

// Step is one point of the dialogue at which a Hook may interfere: just before
// the server writes one line or literal, and where it has read a command.
type Step struct {
	Conn    int    // the connection's number, from 1
	N       int    // the step's number within the connection, from 0
	Command string // in upper case, e.g. "UID FETCH"; "DONE" at the end of IDLE; empty before the first
	Part    Part
	UID     uint32 // the message that is being fetched, else 0
	Size    int    // octets about to be written
	Text    string // the line without CRLF, empty for a literal; the command at Received
}

func (s Step) String() string {
	text := fmt.Sprintf("%d.%d %s", s.Conn, s.N, s.Part)
	if s.Command != "" {
		text += " " + s.Command
	}
	if s.UID != 0 {
		text += fmt.Sprintf(" uid %d", s.UID)
	}
	return text
}

// Verb is what a Hook makes of a step.
type Verb int

const (
	// Pass goes on.
	Pass Verb = iota
	// Drop leaves the unit out; at Received the command is never answered.
	Drop
	// Silent writes nothing any more but goes on reading, for ever. At Dial
	// the call hangs until its context ends.
	Silent
	// Cut closes the connection. At Dial the call is refused.
	Cut
	// HalfClose closes the server's sending side and goes on reading.
	HalfClose
	// Answer ends the command with the tag and Action.Text, e.g. "NO no". At
	// Idling this ends IDLE.
	Answer
)

// Action is a Hook's answer; the zero Action lets the step pass. What it
// writes goes out as one write: Before, the unit (or its first After octets),
// Behind.
type Action struct {
	Do     Verb
	After  int    // octets of the unit that are still written before Silent, Cut or HalfClose
	Before string // raw octets ahead of the unit, CRLF included
	Behind string // raw octets right behind it
	Text   string // for Answer
}

// Bye says BYE and closes the connection.
func Bye(text string) Action {
	return Action{Do: Cut, Before: "* BYE " + text + "\r\n"}
}
