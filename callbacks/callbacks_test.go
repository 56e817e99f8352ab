package callbacks_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// tracer notes every event with its own name.
type tracer struct {
	callbacks.Nop
	name string
	into *[]string
}

func (t tracer) note(args ...any) { *t.into = append(*t.into, t.name+" "+fmt.Sprint(args...)) }

func (t tracer) Exists(m callbacks.Mailbox, n uint32) { t.note("exists ", m, " ", n) }
func (t tracer) Expunged(m callbacks.Mailbox, seq, uid uint32) {
	t.note("expunged ", m, " ", seq, " ", uid)
}
func (t tracer) Flags(m callbacks.Mailbox, seq, uid uint32, flags []string) {
	t.note("flags ", m, " ", seq, " ", uid, " ", flags)
	flags[0] = "overwritten" // it is ours
}
func (t tracer) Searched(m callbacks.Mailbox, uid uint32) { t.note("searched ", m, " ", uid) }
func (t tracer) List(mailbox string, delim rune, attrs []string) {
	t.note("list ", mailbox, " ", string(delim), " ", attrs)
	attrs[0] = "overwritten"
}
func (t tracer) LSub(mailbox string, delim rune, attrs []string) {
	t.note("lsub ", mailbox, " ", string(delim), " ", attrs)
	attrs[0] = "overwritten"
}
func (t tracer) Status(m callbacks.Mailbox, st callbacks.Status) {
	t.note("status ", m, " ", *st.Messages)
}
func (t tracer) Notify(m callbacks.Mailbox, l callbacks.Level, code, text string) {
	t.note("notify ", m, " ", l, " ", code, " ", text)
}
func (t tracer) Log(l callbacks.Level, text string) { t.note("log ", l, " ", text) }
func (t tracer) Debug(line string)                  { t.note("debug ", line) }
func (t tracer) Critical(m callbacks.Mailbox)       { t.note("critical ", m) }
func (t tracer) NoCritical(m callbacks.Mailbox)     { t.note("nocritical ", m) }

var box = callbacks.Mailbox{Account: "yahoo", Name: "FBL", UIDValidity: 7}

// all fires every event once.
func all(h callbacks.Handler) {
	n, next := uint32(3), uint32(12)
	h.Exists(box, 3)
	h.Expunged(box, 2, 0)
	h.Expunged(box, 0, 9)
	h.Flags(box, 1, 5, []string{`\Seen`})
	h.Searched(box, 5)
	h.List("FBL", '/', []string{`\Marked`})
	h.LSub("FBL", '/', []string{`\Marked`})
	h.Status(box, callbacks.Status{Messages: &n, UIDNext: &next})
	h.Notify(box, callbacks.Info, "ALERT", "maintenance at noon")
	h.Notify(box, callbacks.Bye, "", "so long")
	h.Log(callbacks.Error, "no answer")
	h.Debug("S: * OK")
	h.Critical(box)
	h.NoCritical(box)
}

func TestJoinTellsEachInOrder(t *testing.T) {
	var joined, alone []string
	all(callbacks.Join(tracer{name: "a", into: &joined}, nil, tracer{name: "b", into: &joined}))
	all(tracer{name: "a", into: &alone})
	if len(alone) != 14 {
		t.Fatalf("%d events alone", len(alone))
	}
	var want []string
	for _, line := range alone {
		want = append(want, line, "b"+line[1:])
	}
	if got, want := strings.Join(joined, "\n"), strings.Join(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestJoinOfNone(t *testing.T) { all(callbacks.Join()); all(callbacks.Nop{}) }

// Join must not forget an event that is added to Handler.
func TestTheTestsFireEveryEvent(t *testing.T) {
	var lines []string
	all(tracer{name: "a", into: &lines})
	text := strings.ToLower(strings.Join(lines, "\n"))
	handler := reflect.TypeFor[callbacks.Handler]()
	for i := range handler.NumMethod() {
		if m := handler.Method(i); m.IsExported() && !strings.Contains(text, "a "+strings.ToLower(m.Name)+" ") {
			t.Errorf("%s is not fired", m.Name)
		}
	}
}

func logged(level slog.Level) string {
	var out bytes.Buffer
	all(callbacks.Slog(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))))
	return out.String()
}

func TestSlog(t *testing.T) {
	const info = `level=INFO msg=expunged account=yahoo folder=FBL seq=2
level=INFO msg=expunged account=yahoo folder=FBL uid=9
level=WARN msg="server says: maintenance at noon" account=yahoo folder=FBL kind=info code=ALERT
level=INFO msg="server says: so long" account=yahoo folder=FBL kind=bye
level=ERROR msg="no answer"
`
	if got := logged(slog.LevelInfo); got != info {
		t.Errorf("at level info\n%s\nwant\n%s", got, info)
	}
	const debug = `level=DEBUG msg=exists account=yahoo folder=FBL messages=3
level=INFO msg=expunged account=yahoo folder=FBL seq=2
level=INFO msg=expunged account=yahoo folder=FBL uid=9
level=DEBUG msg=flags account=yahoo folder=FBL seq=1 uid=5 flags=[\Seen]
level=DEBUG msg=searched account=yahoo folder=FBL uid=5
level=DEBUG msg=list folder=FBL attrs=[\Marked]
level=DEBUG msg=lsub folder=FBL attrs=[\Marked]
level=DEBUG msg=status account=yahoo folder=FBL messages=3 uidnext=12
level=WARN msg="server says: maintenance at noon" account=yahoo folder=FBL kind=info code=ALERT
level=INFO msg="server says: so long" account=yahoo folder=FBL kind=bye
level=ERROR msg="no answer"
level=DEBUG msg="S: * OK"
level=DEBUG msg=critical account=yahoo folder=FBL
level=DEBUG msg="no critical" account=yahoo folder=FBL
`
	if got := strings.ReplaceAll(logged(slog.LevelDebug), `[\\Seen]`, `[\Seen]`); got != debug {
		t.Errorf("at level debug\n%s\nwant\n%s", got, debug)
	}
}

func TestLevels(t *testing.T) {
	for l, want := range map[callbacks.Level]string{
		callbacks.Info: "info", callbacks.Parse: "parse", callbacks.Warn: "warn", callbacks.Error: "error", callbacks.Bye: "bye", 9: "level(9)",
	} {
		if l.String() != want {
			t.Errorf("%d is %q, want %q", int(l), l, want)
		}
	}
}

// A mailbox that is emptied, or a server that says so, makes few lines.
func TestSlogOfManyExpunged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		h := callbacks.Slog(slog.New(slog.NewTextHandler(&out, nil)))
		for seq := range uint32(35_000) {
			h.Expunged(box, seq+1, 0)
		}
		time.Sleep(2 * time.Minute)
		h.Expunged(box, 7, 0)
		text := out.String()
		if n := strings.Count(text, "\n"); n != 23 || !strings.Contains(text, "messages=34980") || !strings.HasSuffix(text, "msg=expunged account=yahoo folder=FBL seq=7\n") {
			t.Errorf("%d lines, the last %q", n, text[max(0, len(text)-400):])
		}
	})
}
