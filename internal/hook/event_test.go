package hook

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// every fires one event of each kind, and what JSON it is to make without its
// time.
func every(h callbacks.Handler) []string {
	n, none, validity, size := uint32(3), uint32(0), uint64(1<<41), int64(1<<40)
	h.Exists(box, 0)
	h.Expunged(box, 2, 0)
	h.Flags(box, 1, 5, []string{`\Seen`, "$Junk"})
	h.Flags(box, 1, 0, nil)
	h.Searched(box, 5)
	h.List("FBL/a", '/', []string{`\Marked`})
	h.LSub("FBL/b", 0, nil)
	h.Status(box, callbacks.Status{Messages: &n, UIDNext: &n, UIDValidity: &validity, Unseen: &none, Size: &size})
	h.Status(box, callbacks.Status{Recent: &n})
	h.Notify(box, callbacks.Info, "ALERT", "at \"noon\" <b>\x1b[2J\xff")
	h.Log(callbacks.Error, "no answer")
	h.Debug("S: * OK")
	h.Critical(box)
	h.NoCritical(box)
	const where = `"account":"yahoo","mailbox":"FBL\n\u0000","uidvalidity":7`
	return []string{
		`{"event":"exists",` + where + `,"n":0}`,
		`{"event":"expunged",` + where + `,"seq":2}`,
		`{"event":"flags",` + where + `,"seq":1,"uid":5,"flags":["\\Seen","$Junk"]}`,
		`{"event":"flags",` + where + `,"seq":1,"flags":[]}`,
		`{"event":"searched",` + where + `,"uid":5}`,
		`{"event":"list","account":"yahoo","mailbox":"FBL/a","delim":"/","attrs":["\\Marked"]}`,
		`{"event":"lsub","account":"yahoo","mailbox":"FBL/b","attrs":[]}`,
		`{"event":"status",` + strings.Replace(where, "7", "2199023255552", 1) + `,"messages":3,"uidnext":3,"unseen":0,"size":1099511627776}`,
		`{"event":"status",` + where + `,"recent":3}`,
		`{"event":"notify",` + where + `,"level":"info","code":"ALERT","text":"at \"noon\" <b>\u001b[2J\ufffd"}`,
		`{"event":"log","account":"yahoo","level":"error","text":"no answer"}`,
		`{"event":"debug","account":"yahoo","text":"S: * OK"}`,
		`{"event":"critical",` + where + `}`,
		`{"event":"nocritical",` + where + `}`,
	}
}

// allHave is a config in which every event has the command.
func allHave(command subprocess.Command) Config {
	var c Config
	fields := reflect.ValueOf(&c).Elem()
	for i := range fields.NumField() {
		fields.Field(i).Set(reflect.ValueOf(command))
	}
	return c
}

// Each event reaches a command as the package comment says.
func TestEveryEvent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	h, log := open(t, allHave(self(t, "note", file)))
	h.rest = time.Minute
	before := time.Now().Add(-time.Second)
	want := every(h.Handler("yahoo"))
	h.Stop(t.Context())
	var got []string
	for line := range strings.Lines(fixture.Read(t, file)) {
		var at struct{ At time.Time }
		if err := json.Unmarshal([]byte(line), &at); err != nil {
			t.Fatal(err)
		}
		if at.At.Before(before) || at.At.After(time.Now()) || at.At.Location() != time.UTC {
			t.Errorf("it was %v: %s", at.At, line)
		}
		head, rest, _ := strings.Cut(line, `"at":"`)
		_, rest, _ = strings.Cut(rest, `",`)
		got = append(got, strings.TrimSuffix(head+rest, "\n"))
	}
	slices.Sort(got) // no order is promised
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), log)
	}
}

// A Handler's event that is added later must get a key of the config.
func TestConfigHasEveryEvent(t *testing.T) {
	var want []string
	for handler, i := reflect.TypeFor[callbacks.Handler](), 0; i < handler.NumMethod(); i++ {
		if m := handler.Method(i); m.IsExported() {
			want = append(want, strings.ToLower(m.Name))
		}
	}
	var keys, events []string
	for config, i := reflect.TypeFor[Config](), 0; i < config.NumField(); i++ {
		if key := config.Field(i).Tag.Get("yaml"); key != record {
			keys = append(keys, key)
		}
	}
	for event := range allHave(subprocess.Command{"x"}).Commands() {
		if event != record {
			events = append(events, event)
		}
	}
	slices.Sort(keys)
	slices.Sort(events)
	slices.Sort(want)
	if !slices.Equal(keys, want) || !slices.Equal(events, want) {
		t.Errorf("keys   %q\nevents %q\nwant   %q", keys, events, want)
	}
}

// A text is cut between two characters.
func TestLongText(t *testing.T) {
	for pad := range 5 {
		h := &Hooks{commands: map[string]subprocess.Command{"debug": {"x"}}}
		h.more.L = &h.mu
		h.Handler("yahoo").Debug(strings.Repeat("x", pad) + strings.Repeat("\U0001F514", maxText))
		var e event
		if err := json.Unmarshal(h.queue[0].line, &e); err != nil {
			t.Fatal(err)
		}
		if n := len(e.Text); n > maxText || n < maxText-utf8.UTFMax || strings.ContainsRune(e.Text, utf8.RuneError) {
			t.Errorf("%d octets, %q at the end", n, e.Text[n-4:])
		}
	}
}
