package sink

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/profile"
	"github.com/fblwatch/fblwatch/report"
)

// monday is when the reports of these tests come; the clock of a bubble is at 2000.
var monday = time.Date(1999, 3, 1, 9, 0, 0, 0, time.UTC)

// complaint is a record with verdict yes by a@example.com about a message of monday.
func complaint(seq int64, set func(*report.Record)) ledger.Row {
	r := report.Record{
		Schema: 1, ID: fmt.Sprintf("r%d.1", seq), Revision: 1, Event: report.Complaint, Class: "fbl", ReceivedAt: monday.Add(time.Hour),
		Complainant: report.Named, OriginalRcptTo: "a@example.com", Recipients: 1, Suppress: &report.Suppress{Verdict: report.SuppressYes},
		Original: &report.Original{Date: monday, ListID: "News <news.example.com>"}, Identity: &report.Identity{Status: report.Unidentified},
	}
	if set != nil {
		set(&r)
	}
	return ledger.Row{FolderID: 1, Seq: seq, Record: ledger.Record{ID: r.ID, Revision: 1, At: r.ReceivedAt, JSON: r.AppendJSON(nil), Verdict: string(r.Suppress.Verdict)}}
}

func by(address string) func(*report.Record) {
	return func(r *report.Record) { r.OriginalRcptTo = address }
}

func token(tenant, subscriber string) func(*report.Record) {
	return func(r *report.Record) {
		r.Complainant, r.OriginalRcptTo = report.Token, ""
		r.Identity = &report.Identity{Status: report.Identified, Tenant: tenant, Subscriber: subscriber}
	}
}

func list(id string) func(*report.Record) {
	return func(r *report.Record) { r.Original.ListID = id }
}

var yes = true

// acting is the config of a sink that acts.
var acting = Config{Type: TypeExec, Acting: ActConfig{Act: &yes}}

// On whom a sink acts, and on whom again: each pair is two complaints in one batch.
func TestActs(t *testing.T) {
	tests := []struct {
		name          string
		first, second func(*report.Record)
		want          string // the records on which it acts
		skips         string // the reason of the others
	}{
		{"the same person twice", nil, nil, "r1.1", skipAgain},
		{"two people", by("a@example.com"), by("b@example.com"), "r1.1 r2.1", ""},
		{"a domain in two cases", by("a@example.com"), by("a@Example.COM"), "r1.1", skipAgain},
		{"RFC 5321 section 2.4: perhaps two people", by("a@example.com"), by("A@example.com"), "r1.1 r2.1", ""},
		{"two lists", list("<news.example.com>"), list("<offers.example.com>"), "r1.1 r2.1", ""},
		{"RFC 2919: one list", list("Our News <news.example.com>"), list("=?utf-8?q?N=3C?= < NEWS.example.com >"), "r1.1", skipAgain},
		{"a list without brackets", list("news.example.com"), list("<news.example.com>"), "r1.1", skipAgain},
		{"two subscribers", token("x", "1"), token("x", "2"), "r1.1 r2.1", ""},
		{"one subscriber", token("x", "1"), token("x", "1"), "r1.1", skipAgain},
		{"a subscriber of two tenants", token("x", "1"), token("y", "1"), "r1.1 r2.1", ""},
		{"the parts have borders", token("x", "1y"), token("yx", "1"), "r1.1 r2.1", ""},
		{"a subscriber is no address", token("", "a@example.com"), by("a@example.com"), "r1.1 r2.1", ""},
		{"no date", nil, func(r *report.Record) { r.Original.Date = time.Time{} }, "r1.1", skipUndated},
		{"a date from the future", nil, func(r *report.Record) { r.Original.Date = monday.AddDate(9, 0, 0) }, "r1.1", skipUndated},
		{"no original", func(r *report.Record) { r.Original = nil }, func(r *report.Record) { r.Original = nil }, "r1.1", skipUndated},
		{"review", nil, func(r *report.Record) { r.OriginalRcptTo, r.Suppress.Verdict = "b@example.com", report.SuppressReview }, "r1.1", skipVerdict},
		{"no", nil, func(r *report.Record) { r.OriginalRcptTo, r.Suppress.Verdict = "b@example.com", report.SuppressNo }, "r1.1", skipVerdict},
		{"a hash", nil, func(r *report.Record) {
			r.OriginalRcptTo, r.RcptHash, r.Complainant = "", "f00@example.com", report.Hashed
		}, "r1.1", skipUnknown},
		{"nobody", nil, func(r *report.Record) { r.OriginalRcptTo, r.Complainant = "", report.NoOne }, "r1.1", skipUnknown},
		{"one of several", nil, func(r *report.Record) { r.OriginalRcptTo, r.Complainant = "b@example.com", report.Candidate }, "r1.1", skipUnknown},
		{"no address", nil, by("b"), "r1.1", skipUnknown},
		{"a mask", nil, by("b***@example.com"), "r1.1", skipUnknown},
		{"redacted", nil, by("Redacted@example.com"), "r1.1", skipUnknown},
		{"a hash that is said to be an address", nil, by(strings.Repeat("0f", 20) + "@example.com"), "r1.1", skipUnknown},
		{"a subscriber that our privacy has hashed", nil, token("", strings.Repeat("0f", 32)+"@example.com"), "r1.1", skipUnknown},
		{"a subscriber by a hash of the sender's", nil, token("", strings.Repeat("0f", 16)), "r1.1 r2.1", ""},
		{"a token without a subscriber", nil, token("x", ""), "r1.1", skipUnknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out, j := newOutbox(complaint(1, test.first), complaint(2, test.second)), &judge{}
			judged(t, out, j, acting, func(p *Pump) {
				counts := map[string]int64{CountDelivered: int64(len(j.taken))}
				if test.skips != "" {
					counts[CountSkipped+test.skips] = 1
				}
				if got := ids(j.taken); got != test.want || fmt.Sprint(p.Counts()) != fmt.Sprint(counts) {
					t.Errorf("acted on %q, want %q; counts %v", got, test.want, p.Counts())
				}
			})
			expect(t, "acknowledged", out.acked(1), 2)
		})
	}
}

// ids are keys without their revisions.
func ids(keys []string) string {
	var ids []string
	for _, key := range keys {
		ids = append(ids, strings.TrimSuffix(key, ".1"))
	}
	return strings.Join(ids, " ")
}

// A sink that does not act gets all of them.
func TestTells(t *testing.T) {
	out, j := newOutbox(complaint(1, nil), complaint(2, nil), complaint(3, func(r *report.Record) { r.Suppress.Verdict = report.SuppressNo })), &judge{}
	judged(t, out, j, Config{Type: TypeExec}, func(*Pump) { expect(t, "told", ids(j.taken), "r1.1 r2.1 r3.1") })
	if len(out.acted) != 0 {
		t.Errorf("noted acts: %v", out.acted)
	}
}

// A sink acts again if the message was sent after its last act, by the message's own
// date or by its arrival, also in another folder and another run.
func TestActsAgain(t *testing.T) {
	acted := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when bubbles begin
	out, j := newOutbox(complaint(1, nil)), &judge{}
	later := func(seq int64, folder int64, sent time.Time, set func(r *report.Record)) {
		row := complaint(seq, func(r *report.Record) {
			r.ReceivedAt, r.Original.Date = acted.AddDate(1, 0, 0), sent
			if set != nil {
				set(r)
			}
		})
		row.FolderID = folder
		out.commit(row)
	}
	judged(t, out, j, acting, func(*Pump) {})
	later(2, 1, acted.Add(-time.Second), nil)
	later(3, 1, acted, nil)
	later(7, 2, acted.Add(time.Second), nil)
	later(4, 1, time.Time{}, func(r *report.Record) { r.OriginalRcptTo, r.ArrivalDate = "b@example.com", acted })
	later(5, 1, time.Time{}, func(r *report.Record) { r.ArrivalDate = acted })
	judged(t, out, j, acting, func(*Pump) {})
	expect(t, "acted", ids(j.taken), "r1.1 r4.1 r7.1")
	later(8, 2, time.Time{}, func(r *report.Record) { r.ArrivalDate = acted.Add(time.Hour) })
	judged(t, out, j, acting, func(*Pump) {})
	expect(t, "acted", ids(j.taken), "r1.1 r4.1 r7.1 r8.1")
}

// If the receiver refuses the first complaint of a person, the next one counts.
func TestActsAfterRefusal(t *testing.T) {
	for name, say := range map[string]func(items []delivery.Item) (int, error){
		"together": together("r1.1"),
		"alone": func(items []delivery.Item) (int, error) {
			if i := slices.IndexFunc(items, func(i delivery.Item) bool { return i.ID == "r1.1" }); i >= 0 {
				return len(items), delivery.Refusals{{First: i, N: 1, Reason: "400"}}
			}
			return len(items), nil
		},
	} {
		out, j := newOutbox(complaint(1, nil), complaint(2, by("b@example.com")), complaint(3, nil), complaint(4, by("c@example.com"))), &judge{say: say}
		judged(t, out, j, acting, func(*Pump) { expect(t, name, ids(j.taken), "r2.1 r3.1 r4.1") })
		expect(t, "dead", len(out.dead), 1)
	}
}

// What was done is noted before the next twenty, also if the time is up meanwhile.
func TestActsNoted(t *testing.T) {
	var all []ledger.Row
	for seq := range int64(50) {
		all = append(all, complaint(seq+1, by(fmt.Sprintf("a%d@example.com", seq))))
	}
	out, j := newOutbox(all...), &judge{}
	j.say = func(items []delivery.Item) (int, error) {
		expect(t, "noted", len(out.acted), len(j.taken))
		return len(items), nil
	}
	judged(t, out, j, acting, func(*Pump) {})
	if fmt.Sprint(j.sizes) != "[20 20 10]" {
		t.Errorf("sizes %v", j.sizes)
	}

	synctest.Test(t, func(t *testing.T) {
		out := newOutbox(all[:2]...)
		ctx, stop := context.WithCancel(t.Context())
		slow := &judge{say: func([]delivery.Item) (int, error) {
			stop()
			time.Sleep(2 * drainLimit)
			return 1, context.Canceled
		}}
		if err := NewPump(acting, out, slow, discard).Run(ctx); err != nil {
			t.Error(err)
		}
		expect(t, "noted at the end", len(out.acted), 1)
	})
}

// A crash between the act and its note, or between the note and the acknowledgement,
// makes a sink act twice at most, and never not at all. A ledger that fails is the same.
func TestActsThroughCrashes(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		var all []ledger.Row
		want := make(map[string]bool)
		for seq := range int64(60) {
			person := fmt.Sprintf("p%d@example.com", random.IntN(30))
			all = append(all, complaint(seq+1, by(person)))
			want[person] = true
		}
		out := newOutbox(all...)
		acts := make(map[string]int)
		crashes := 0
		for run := 0; out.acked(1) < len(all); run++ {
			if run == 1000 {
				t.Fatal("no end")
			}
			out.noAct, out.fails = nil, nil
			j := &judge{say: func(items []delivery.Item) (int, error) {
				done := len(items)
				var err error
				switch random.IntN(4) {
				case 0:
					out.noAct = errors.New("killed")
				case 1:
					out.fails = errors.New("killed")
				case 2:
					done, err = random.IntN(len(items)), errors.New("down")
				}
				if out.noAct != nil || out.fails != nil || err != nil {
					crashes++
				}
				for _, item := range items[:done] {
					record, _ := item.Record()
					acts[record.OriginalRcptTo]++
				}
				return done, err
			}}
			p := NewPump(acting, out, j, discard)
			_ = p.deliver(t.Context()) // a process that dies after its first failure
			_ = p.acknowledge(t.Context())
		}
		sum := 0
		for person := range want {
			if acts[person] == 0 {
				t.Fatalf("seed %d: nothing was done for %s", seed, person)
			}
			sum += acts[person]
		}
		if most := len(want) + crashes*actRows; len(acts) != len(want) || sum > most || crashes == 0 && sum != len(want) {
			t.Fatalf("seed %d: %d acts for %d people with %d crashes", seed, sum, len(want), crashes)
		}
	}
}

// A Rehearsal says that a sink would act exactly where it then acts, and changes nothing.
func TestRehearse(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var all []ledger.Row
	for seq := range int64(300) {
		all = append(all, complaint(seq+1, func(r *report.Record) {
			if random.IntN(4) == 0 {
				token("x", fmt.Sprint(random.IntN(9)))(r)
			} else {
				by(fmt.Sprintf("a%d@example.com", random.IntN(40)))(r)
			}
			r.Original.ListID = []string{"", "<news.example.com>"}[random.IntN(2)]
			r.Suppress.Verdict = []report.Verdict{report.SuppressYes, report.SuppressYes, report.SuppressReview, report.SuppressNo}[random.IntN(4)]
		}))
	}
	out, j := newOutbox(all[:100]...), &judge{}
	c := acting
	c.Name, c.Exec.Command = "own", []string{"/bin/false"}
	judged(t, out, j, c, func(*Pump) {}) // the first hundred are done
	r, err := Rehearse(c, out)
	if err != nil {
		t.Fatal(err)
	}
	var would []string
	for _, row := range all[100:] {
		says, err := r.Says(t.Context(), row)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(says, "would act on ") {
			would = append(would, row.ID+".1")
		} else if !strings.HasPrefix(says, "would not act: ") {
			t.Errorf("%q", says)
		}
	}
	j.taken = nil
	out.commit(all[100:]...)
	judged(t, out, j, c, func(*Pump) {})
	if !slices.Equal(would, j.taken) || len(would) == 0 {
		t.Errorf("would act on %d, acted on %d", len(would), len(j.taken))
	}
}

func TestRehearsalSays(t *testing.T) {
	c := acting
	c.Name, c.Exec.Command = "own", []string{"/bin/false"}
	r, err := Rehearse(c, newOutbox())
	if err != nil {
		t.Fatal(err)
	}
	for i, test := range []struct {
		set  func(*report.Record)
		want string
	}{
		{nil, "would act on a@example.com, list news.example.com"},
		{nil, "would not act: acted before"},
		{token("x", "17"), "would act on subscriber 17, tenant x, list news.example.com"},
		{list(""), "would act on a@example.com, list unknown"},
		{func(r *report.Record) { r.Suppress.Verdict = report.SuppressNo }, "would not act: the verdict is not yes"},
	} {
		if says, err := r.Says(t.Context(), complaint(int64(i+1), test.set)); err != nil || says != test.want {
			t.Errorf("%q, want %q; %v", says, test.want, err)
		}
	}
}

func TestActConfig(t *testing.T) {
	no := false
	for _, test := range []struct {
		config Config
		acts   bool
		want   string
	}{
		{Config{Name: "e", Type: TypeExec, Exec: ExecConfig{Command: []string{"cat"}}, Acting: ActConfig{&yes}}, true, ""},
		{Config{Name: "e", Type: TypeExec, Exec: ExecConfig{Command: []string{"cat"}}, Acting: ActConfig{&no}}, false, ""},
		{Config{Name: "f", Type: TypeFile, File: FileConfig{Path: "r"}, Acting: ActConfig{&yes}}, true, "act is no key of the type file"},
		{Config{Name: "u", Type: TypeUnsubscribe, Unsubscribe: UnsubscribeConfig{Hosts: []string{"lists.example.com"}}}, true, ""},
		{Config{Name: "u", Type: TypeUnsubscribe, Unsubscribe: UnsubscribeConfig{Hosts: []string{"lists.example.com"}}, Acting: ActConfig{&yes}}, true, ""},
		{Config{Name: "u", Type: TypeUnsubscribe, Unsubscribe: UnsubscribeConfig{Hosts: []string{"lists.example.com"}}, Acting: ActConfig{&no}}, true, errActs.Error()},
		{Config{Name: "h", Type: TypeHTTP, Remote: RemoteConfig{URL: "https://lists.example.com"}, Profile: profile.Options{Profile: "listmonk"}}, true, ""},
		{Config{Name: "h", Type: TypeHTTP, Remote: RemoteConfig{URL: "https://lists.example.com"}, Profile: profile.Options{Profile: "kumomta"}}, false, ""},
		{Config{Name: "h", Type: TypeHTTP, Remote: RemoteConfig{URL: "https://lists.example.com"}, Acting: ActConfig{&yes}}, true, ""},
		{Config{Name: "h", Type: TypeHTTP, Remote: RemoteConfig{URL: "https://lists.example.com"}, Profile: profile.Options{Profile: "listmonk"}, Acting: ActConfig{&no}}, true, errActs.Error()},
	} {
		err := test.config.Validate()
		if test.config.Acts() != test.acts || fmt.Sprint(err) != test.want && (err != nil || test.want != "") {
			t.Errorf("%+v: acts %v, %v", test.config, test.config.Acts(), err)
		}
	}
}
