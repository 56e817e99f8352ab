package callbacks_test

import (
	"fmt"

	"github.com/fblwatch/fblwatch/callbacks"
)

// mm is the Go form of the file of mm_* functions that every program with c-client
// had to have. It has a method for every event. It embeds Nop, so that a later event
// does not break it. Leave out the events that you do not need.
//
// mm_login is imapclient's Options.Login, and mm_fatal is a returned error.
type mm struct{ callbacks.Nop }

func (mm) Exists(m callbacks.Mailbox, n uint32) {
	fmt.Printf("mm_exists: %s holds %d messages\n", m, n)
}

func (mm) Expunged(m callbacks.Mailbox, seq, uid uint32) {
	fmt.Printf("mm_expunged: %s number %d, UID %d\n", m, seq, uid)
}

func (mm) Flags(m callbacks.Mailbox, seq, uid uint32, flags []string) {
	fmt.Printf("mm_flags: %s number %d, UID %d is %v\n", m, seq, uid, flags)
}

func (mm) Searched(m callbacks.Mailbox, uid uint32) {
	fmt.Printf("mm_searched: %s UID %d\n", m, uid)
}

func (mm) List(mailbox string, delim rune, attrs []string) {
	fmt.Printf("mm_list: %s, delimiter %c, %v\n", mailbox, delim, attrs)
}

func (mm) LSub(mailbox string, delim rune, attrs []string) {
	fmt.Printf("mm_lsub: %s, delimiter %c, %v\n", mailbox, delim, attrs)
}

func (mm) Status(m callbacks.Mailbox, s callbacks.Status) {
	fmt.Printf("mm_status: %s", m)
	if s.Messages != nil {
		fmt.Printf(" holds %d messages", *s.Messages)
	}
	if s.Unseen != nil {
		fmt.Printf(", %d unseen", *s.Unseen)
	}
	fmt.Println()
}

func (mm) Notify(m callbacks.Mailbox, level callbacks.Level, code, text string) {
	fmt.Printf("mm_notify: %s %s [%s] %s\n", m, level, code, text)
}

func (mm) Log(level callbacks.Level, text string) { fmt.Printf("mm_log: %s: %s\n", level, text) }

func (mm) Debug(line string) { fmt.Printf("mm_dlog: %s\n", line) }

func (mm) Critical(m callbacks.Mailbox)   { fmt.Printf("mm_critical: %s\n", m) }
func (mm) NoCritical(m callbacks.Mailbox) { fmt.Printf("mm_nocritical: %s\n", m) }

// Print every event. In a program an imapclient.Client calls the Handler, which it
// receives as Options.Handler.
func Example_everyEvent() {
	var h callbacks.Handler = mm{}
	fbl := callbacks.Mailbox{Account: "yahoo", Name: "FBL"}
	messages, unseen := uint32(3), uint32(1)

	h.Debug("C: T1 SELECT FBL")
	h.Exists(fbl, messages)
	h.Notify(fbl, callbacks.Info, "ALERT", "maintenance at noon")
	h.Searched(fbl, 17)
	h.Flags(fbl, 2, 17, []string{`\Seen`})
	h.Critical(fbl)
	h.NoCritical(fbl)
	h.Expunged(fbl, 2, 0)
	h.List("FBL", '/', []string{`\HasNoChildren`})
	h.LSub("FBL", '/', nil)
	h.Status(fbl, callbacks.Status{Messages: &messages, Unseen: &unseen})
	h.Log(callbacks.Error, "no answer within 1m0s")
	// Output:
	// mm_dlog: C: T1 SELECT FBL
	// mm_exists: yahoo/FBL holds 3 messages
	// mm_notify: yahoo/FBL info [ALERT] maintenance at noon
	// mm_searched: yahoo/FBL UID 17
	// mm_flags: yahoo/FBL number 2, UID 17 is [\Seen]
	// mm_critical: yahoo/FBL
	// mm_nocritical: yahoo/FBL
	// mm_expunged: yahoo/FBL number 2, UID 0
	// mm_list: FBL, delimiter /, [\HasNoChildren]
	// mm_lsub: FBL, delimiter /, []
	// mm_status: yahoo/FBL holds 3 messages, 1 unseen
	// mm_log: error: no answer within 1m0s
}
