package imaptest

import "fmt"

// Part is the place of a Step in the dialogue.
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

// Step is one point of the dialogue where a Hook may interfere: before the server
// writes a line or literal, and after it has read a command.
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

// Verb is what a Hook does at a step.
type Verb int

const (
	// Pass changes nothing.
	Pass Verb = iota
	// Drop omits the unit. At Received the command is never answered.
	Drop
	// Silent writes nothing more, but reads for ever. At Dial the call hangs until
	// its context ends.
	Silent
	// Cut closes the connection. At Dial the call is refused.
	Cut
	// HalfClose closes the server's sending side and goes on reading.
	HalfClose
	// Answer ends the command with the tag and Action.Text, e.g. "NO no". At
	// Idling this ends IDLE.
	Answer
)

// Action is a Hook's answer. The zero Action changes nothing. Before, the unit (or
// its first After octets) and Behind go out as one write.
type Action struct {
	Do     Verb
	After  int    // octets of the unit that are written before Silent, Cut or HalfClose
	Before string // raw octets before the unit, with CRLF
	Behind string // raw octets after it, with CRLF
	Text   string // for Answer
}

// Bye is an Action that says BYE and closes the connection.
func Bye(text string) Action {
	return Action{Do: Cut, Before: "* BYE " + text + "\r\n"}
}
