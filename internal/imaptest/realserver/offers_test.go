package realserver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// TestOffers measures the table of Families, and checks what fblwatch expects of each
// server. With -v it prints the columns.
func TestOffers(t *testing.T) {
	for _, family := range Families {
		t.Run(family.Name, func(t *testing.T) {
			t.Parallel()
			offers(t, family.Start(t))
		})
	}
}

func offers(t *testing.T, s *Server) {
	tell := func(what string, format string, args ...any) {
		t.Logf("%-28s %s", what, fmt.Sprintf(format, args...))
	}
	session := func() client {
		c := dial(t, s.PlainAddr())
		c.Line()
		c.ok("LOGIN fbl secret")
		return c
	}
	last := func(lines []string) string { return lines[len(lines)-1] }
	find := func(lines []string, text string) string {
		for _, line := range lines {
			if strings.Contains(line, text) {
				return line
			}
		}
		return ""
	}

	c := dial(t, s.PlainAddr())
	greeting, _ := c.Line()
	tell("greeting", "%s", greeting)
	tell("CAPABILITY before login", "%s", c.ok("CAPABILITY")[0])
	login := last(c.ok("LOGIN fbl secret"))
	tell("answer to LOGIN", "%s", login)
	caps := c.ok("CAPABILITY")[0]
	tell("CAPABILITY after login", "%s", caps)
	var lacks []string
	for _, want := range []string{
		"IDLE", "NOTIFY", "QRESYNC", "CONDSTORE", "ENABLE", "MOVE", "UIDPLUS", "UNSELECT", "COMPRESS=DEFLATE", "LIST-STATUS", "LIST-EXTENDED",
		"SPECIAL-USE", "ID", "NAMESPACE", "QUOTA", "ESEARCH", "LITERAL+", "SASL-IR", "STATUS=SIZE", "BINARY", "OBJECTID", "UTF8=ACCEPT",
	} {
		if !strings.Contains(caps+" ", " "+want+" ") {
			lacks = append(lacks, want)
		}
	}
	tell("lacks", "%s", strings.Join(lacks, " "))
	for _, command := range []string{
		`ID ("name" "test")`, `LIST "" ""`, `LIST "" * RETURN (STATUS (MESSAGES UIDNEXT))`, `LIST "" * RETURN (SPECIAL-USE)`,
		`LSUB "" *`, "NAMESPACE", "GETQUOTAROOT INBOX", "ENABLE QRESYNC", "NOTIFY SET (selected (MessageNew MessageExpunge))", "NOTIFY NONE",
	} {
		got, err := c.Ask(command)
		tell(command, "%q %v", got, errText(err))
		if err != nil {
			c = session()
		}
	}

	// Messages as they are.
	sub := s.Folder("FBL/2026")
	s.Append("INBOX", text(100))
	s.Append("INBOX", body(100))
	s.Append(sub, text(100))
	raw, err := imaptest.DialRaw(s.PlainAddr(), s.User(), s.Password())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	answer, err := raw.Append("INBOX", []byte("Subject: bare\n\nline\n"))
	tell("APPEND with bare LF", "%s %s", answer, errText(err))
	messages := 2
	if strings.HasPrefix(answer, "OK") {
		messages++
	}
	examine := c.ok("EXAMINE INBOX")
	tell("EXAMINE", "%q", examine)
	if find(examine, "[UIDVALIDITY ") == "" {
		t.Error("no UIDVALIDITY")
	}
	if find(examine, "[UIDNEXT ") == "" && find(c.ok("STATUS INBOX (UIDNEXT)"), fmt.Sprintf("UIDNEXT %d", messages+1)) == "" {
		t.Error("no UIDNEXT in EXAMINE or STATUS")
	}
	if !strings.Contains(last(examine), "[READ-ONLY]") {
		t.Error("EXAMINE says no READ-ONLY")
	}
	tell("sizes of 102, 100, 20", "%q", c.ok("UID FETCH 1:* (UID RFC822.SIZE INTERNALDATE)"))
	tell("FETCH beyond the end", "%q", c.ok("UID FETCH 1000:* (UID)"))
	tell("FETCH of a UID not there", "%q", c.ok("UID FETCH 1000 (UID)"))
	tell("partial", "%q", c.ok("UID FETCH 1 (UID BODY.PEEK[]<0.10>)"))
	list := c.ok(`LIST "" *`)
	tell("LIST", "%q", list)
	if find(list, sub) == "" {
		t.Errorf("no %s in %q", sub, list)
	}
	tell("STATUS of the open folder", "%q", c.ok("STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)"))

	// EXAMINE is read-only, whatever one does.
	recent := find(examine, " RECENT")
	c.ok("UID FETCH 1 (BODY[])")
	store, _ := c.Ask(`UID STORE 1 +FLAGS (\Deleted)`)
	tell("STORE in EXAMINE", "%q", last(store))
	expunge, _ := c.Ask("EXPUNGE")
	tell("EXPUNGE in EXAMINE", "%q", last(expunge))
	c.Ask("CLOSE")
	again := c.ok("EXAMINE INBOX")
	if flags := find(c.ok("UID FETCH 1 (FLAGS)"), "FETCH"); strings.Contains(flags, `\Seen`) || strings.Contains(flags, `\Deleted`) || flags == "" {
		t.Errorf("EXAMINE was no reading only: %q", flags)
	}
	if now := find(again, " RECENT"); now != recent {
		t.Errorf("EXAMINE took %q, left %q", recent, now)
	}

	// IDLE, with the messages of another session.
	idle := session()
	idle.ok("EXAMINE INBOX")
	idle.send("i IDLE")
	if line, err := idle.Line(); err != nil || !strings.HasPrefix(line, "+") {
		t.Fatalf("IDLE: %q, %v", line, err)
	}
	for n := messages + 1; n <= messages+3; n++ {
		s.Append("INBOX", text(100))
		start := time.Now()
		for line, err := "", error(nil); !strings.Contains(line, fmt.Sprintf("* %d EXISTS", n)); {
			if line, err = idle.Line(); err != nil {
				t.Fatalf("IDLE: %v", err)
			}
		}
		tell("EXISTS in IDLE after", "%v", time.Since(start).Round(time.Millisecond))
		time.Sleep(300 * time.Millisecond)
	}
	idle.send("DONE")
	for line, err := "", error(nil); !strings.HasPrefix(line, "i OK"); {
		if line, err = idle.Line(); err != nil {
			t.Fatalf("DONE: %v", err)
		}
	}

	// What ends badly.
	wrong := dial(t, s.PlainAddr())
	start := time.Now()
	wrong.Line()
	got, err := wrong.Ask("LOGIN fbl wrong")
	tell("a wrong password", "%q %v after %v", got, errText(err), time.Since(start).Round(100*time.Millisecond))
	got, err = c.Ask("EXAMINE Missing")
	tell("a folder not there", "%q %v", got, errText(err))
	validity := find(c.ok("EXAMINE INBOX"), "[UIDVALIDITY ")
	held := session()
	held.ok("EXAMINE INBOX")
	s.Restart()
	var words []string
	for err == nil {
		var line string
		if line, err = held.Line(); line != "" {
			words = append(words, line)
		}
	}
	tell("last words at a restart", "%q %v", words, errText(err))
	if now := find(session().ok("EXAMINE INBOX"), "[UIDVALIDITY "); now != validity {
		t.Errorf("UIDVALIDITY is %q behind a restart, was %q", now, validity)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
