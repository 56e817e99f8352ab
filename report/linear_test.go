package report

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/internal/pacetest"
)

// hosts have a table's row derive what the report leaves out.
var linearTable = Providers{{Name: "example", From: []string{"example.com", "example.net"}, Hosts: []string{"example.com"}}}

// readAll is all that is done with a message.
func readAll(message []byte) {
	for _, record := range Parse(message).Records(Envelope{Providers: linearTable}) {
		record.AppendJSON(nil)
	}
}

// workOf is how many octets Parse looks at.
func workOf(sent []byte) int {
	p := &parser{work: message.NewBudget(context.Background(), len(sent))}
	p.budget = &p.work
	all := p.work.Left
	p.parse(new(Report), sent, 0)
	return all - p.work.Left
}

// checkLinear fails where a message of more octets takes more time or work for each
// of them.
func checkLinear(t *testing.T, e element, p place, small, large int) {
	t.Helper()
	sent := func(n int) []byte { return []byte(p.before + pacetest.Repeat(string(e), n) + p.behind) }
	one, many := sent(small), sent(large)
	pacetest.Linear(t, fmt.Sprintf("%q in %s", string(e), p.name), time.Duration(large)*100*time.Nanosecond, large/small,
		func() { readAll(one) }, func() { readAll(many) })
	if w := workOf(many); w > message.WorkPerOctet/2*len(many) {
		t.Errorf("%q in %s: %d octets are %d of work", string(e), p.name, len(many), w)
	}
}

// quadratic are what took more than 64 times as long for eight times the size:
// the element and the place.
var quadratic = [][2]string{
	{";", "outer Content-Type"}, {"; ", "outer Content-Type, of a text"}, {";a", "part Content-Type: text/plain"}, {";\"", "part Content-Disposition: attachment"},
	{"&amp;", "outer Content-Type, no boundary"}, {";name*#=a", "part Content-Type: application/octet-stream"}, {";filename*#*=%41", "part Content-Disposition: attachment"},
	{"[ Offending message ]\n", "spamcop"}, {"[ Offending message ]\n", "spamcop original"},
	{"====", "report part Content-Transfer-Encoding: quoted-printable\n"}, {"=", "original Content-Transfer-Encoding: quoted-printable\n"}, {"=\r", "text part with a report Content-Transfer-Encoding: quoted-printable\n"}, {"= ", "text part Content-Transfer-Encoding: quoted-printable\n"},
	{"a.", "outer From, domain"}, {"..", "outer From, domain"}, {"a.b.", "report Redirected-By"},
	{"=?a?b?", "original Subject"}, {"=?iso-8859-2?q?=B1?= ", "outer Subject"},
	{"DKIM-Signature: v=1; d=d#.example.com\n", "original header"}, {"\n--b\nContent-Type: message/rfc822\n\n \n", "report part"},
	{"\"a#\":1,", "JSON"}, {"a", "JSON, a name"}, {"{},", "JSON, nested"},
	{"{a}", "xarf JSON, objects"}, {"\n[x", "xarf JSON, behind words"},
}

func placeOf(t *testing.T, name string) place {
	for _, p := range places() {
		if p.name == name {
			return p
		}
	}
	t.Fatalf("no place %q", name)
	return place{}
}

// TestLinear: each element in each of its worst places, and a few of all
// others, at 64 KB and at 1 MB.
func TestLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: it takes some seconds")
	}
	for _, c := range quadratic {
		checkLinear(t, element(c[0]), placeOf(t, c[1]), 64<<10, 1<<20)
	}
	all, random := places(), rand.New(rand.NewPCG(1, 1))
	for range 100 {
		checkLinear(t, elements[random.IntN(len(elements))], all[random.IntN(len(all))], 64<<10, 1<<20)
	}
}

// TestLinearSoak: each element in each place at 64 KB and 512 KB, and in a place
// of its own at 1 MB and at 8 MB.
func TestLinearSoak(t *testing.T) {
	if os.Getenv("FBLWATCH_SOAK") == "" {
		t.Skip("an hour; see make soak")
	}
	all := places()
	for _, c := range quadratic {
		checkLinear(t, element(c[0]), placeOf(t, c[1]), 1<<20, 8<<20)
	}
	for i, e := range elements {
		for _, p := range all {
			checkLinear(t, e, p, 64<<10, 512<<10)
		}
		checkLinear(t, e, all[i%len(all)], 1<<20, 8<<20)
	}
}

// TestBudget: a message that costs more than it may is unparsed and says why; it
// keeps its id, and each reading of it gives the same.
func TestBudget(t *testing.T) {
	for _, fixture := range fixtures(t) {
		want := Parse(fixture.message)
		for _, left := range []int{0, 1000, workOf(fixture.message) - 1} {
			read := func() *Report {
				p := &parser{work: message.Budget{Left: left}}
				p.budget = &p.work
				p.parse(new(Report), fixture.message, 0)
				return p.r
			}
			r := read()
			if r.ID != want.ID || r.Kind != KindUnparsed || !hasProblem(r, "reading: it costs more than 64 times its size") || len(r.Problems) != 1 {
				t.Errorf("%s: %s %s %v", fixture.name, r.ID, r.Kind, r.Problems)
			}
			records := r.Records(Envelope{})
			if len(records) != 1 || records[0].ID != want.ID+".0" || records[0].Parse.Status != "failed" || records[0].Suppress.Verdict != SuppressNo {
				t.Errorf("%s: %+v", fixture.name, records)
			}
			if again := read(); !reflect.DeepEqual(again.Records(Envelope{}), records) {
				t.Errorf("%s: two readings differ", fixture.name)
			}
		}
		if w := workOf(fixture.message); w > message.WorkPerOctet/4*len(fixture.message)+message.WorkAtLeast {
			t.Errorf("%s: %d octets are %d of work", fixture.name, len(fixture.message), w)
		}
	}
}

// asked is a context that ends when it was asked so often.
type asked struct {
	context.Context
	left int
}

func (a *asked) Err() error {
	if a.left--; a.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestParseContext: the report is that of Parse, or there is none.
func TestParseContext(t *testing.T) {
	for _, fixture := range fixtures(t) {
		r, err := ParseContext(t.Context(), fixture.message)
		if want := Parse(fixture.message); err != nil || !reflect.DeepEqual(r.Records(Envelope{}), want.Records(Envelope{})) || r.ID != want.ID || r.Kind != want.Kind {
			t.Errorf("%s: %v", fixture.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r, err := ParseContext(ctx, []byte(limitHead)); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v %v", r, err)
	}
	p := placeOf(t, "report part")
	message := []byte(p.before + pacetest.Repeat("X: y\n", 8<<20) + p.behind)
	if workOf(message) < 8<<20 {
		t.Fatal("too little work")
	}
	if r, err := ParseContext(&asked{t.Context(), 1}, message); r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("in the middle: %t %v", r != nil, err)
	}
}
