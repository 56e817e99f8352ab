package imaptest

import "testing"

// A server that offers everything, as a client sees it.
func TestExtensions(t *testing.T) {
	s := Filled(t, 0, nil)
	s.Greeting = "* PREAUTH hi"
	s.Caps = []string{"IMAP4rev1", "MOVE", "UIDPLUS", "ENABLE", "QRESYNC", "NOTIFY"}
	s.AddMailbox("Done")
	for range 4 {
		s.Append("INBOX", []byte("A: 1\r\n\r\n"))
	}
	c := dial(t, s)
	c.want("* PREAUTH hi")
	c.check("CREATE Done", "NO [ALREADYEXISTS] there is one")
	c.check("CREATE New", "OK CREATE completed")
	opened := func(flags, exists, next, state, answer string, more ...string) []string {
		lines := []string{`* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)`, "* OK [PERMANENTFLAGS (" + flags + ")] flags that stay",
			"* " + exists + " EXISTS", "* 0 RECENT", "* OK [UIDVALIDITY 1] UIDs valid", "* OK [UIDNEXT " + next + "] predicted next UID", "* OK [HIGHESTMODSEQ " + state + "] state"}
		return append(append(lines, more...), answer)
	}
	const all = `\Answered \Flagged \Deleted \Seen \Draft \*`
	c.check("EXAMINE INBOX", opened("", "4", "5", "5", "OK [READ-ONLY] EXAMINE completed")...)
	c.check(`UID STORE 1 +FLAGS (\Seen)`, "NO [READ-ONLY] the mailbox was examined")
	c.check("UID MOVE 1 Done", "NO [READ-ONLY] the mailbox was examined")
	c.check("EXPUNGE", "NO [READ-ONLY] the mailbox was examined")
	c.check("SELECT INBOX (QRESYNC (1 2))", "BAD SELECT wants a mailbox")
	c.check("SELECT INBOX", opened(all, "4", "5", "5", "OK [READ-WRITE] SELECT completed")...)

	c.check(`UID STORE 1:2 +FLAGS (\Deleted a)`, `* 1 FETCH (UID 1 FLAGS (\Deleted a))`, `* 2 FETCH (UID 2 FLAGS (\Deleted a))`, "OK STORE completed")
	c.check("STORE 2 -FLAGS.SILENT (a)", "OK STORE completed")
	c.check("STORE 3 FLAGS.SILENT (a b)", "OK STORE completed")
	c.check("STORE 1 GLAFS (a)", "BAD unknown STORE item")
	c.check("UID COPY 2,9 New", "OK [COPYUID 1 2 1] COPY completed")
	c.check("UID COPY 2 None", "NO [TRYCREATE] no such mailbox")
	c.check("UID EXPUNGE 2:4", "* 2 EXPUNGE", "OK EXPUNGE completed")
	c.check("UID MOVE 3 Done", "* OK [COPYUID 1 3 1] moved", "* 2 EXPUNGE", "OK MOVE completed")
	if m := s.Messages("New"); len(m) != 1 || len(m[0].Flags) != 1 || m[0].Flags[0] != `\Deleted` {
		t.Errorf("copied as %+v", m)
	}

	c.check("NOTIFY SET (selected (MessageNew)) (mailboxes (Done inbox None) (MessageNew))", "OK NOTIFY completed")
	s.Append("Done", nil)
	s.Append("New", nil)
	c.check("NOOP", `* STATUS "Done" (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 1)`, "OK NOOP completed")
	c.check("NOTIFY NONE", "OK NOTIFY completed")
	s.Append("Done", nil)
	c.check("NOOP", "OK NOOP completed")
	c.check("NOTIFY SET (subtree Done (MessageNew))", "BAD unknown filter")

	c.check("ENABLE CONDSTORE QRESYNC", "* ENABLED QRESYNC", "OK ENABLE completed")
	s.SetFlags("INBOX", 4, "c")
	s.Expunge("INBOX", 1)
	c.check("NOOP", "* VANISHED 1", "* 1 FETCH (UID 4 FLAGS (c) MODSEQ (12))", "OK NOOP completed")
	c.check("SELECT INBOX (QRESYNC (1 10 1:3))", append([]string{"* OK [CLOSED] the mailbox before"},
		opened(all, "1", "5", "13", "OK [READ-WRITE] SELECT completed", "* VANISHED (EARLIER) 3,1")...)...)
	c.check("SELECT INBOX (QRESYNC (7 2))", append([]string{"* OK [CLOSED] the mailbox before"}, // another UIDVALIDITY
		opened(all, "1", "5", "13", "OK [READ-WRITE] SELECT completed")...)...)
	c.check("SELECT INBOX (QRESYNC (1 11 1:*))", append([]string{"* OK [CLOSED] the mailbox before"},
		opened(all, "1", "5", "13", "OK [READ-WRITE] SELECT completed", "* VANISHED (EARLIER) 1", "* 1 FETCH (UID 4 FLAGS (c) MODSEQ (12))")...)...)
	c.check("COMPRESS GZIP", "BAD COMPRESS wants DEFLATE")
	c.check("LOGOUT", "* BYE logging out", "OK LOGOUT completed")
}
