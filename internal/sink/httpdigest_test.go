package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/digest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/profile"
)

func slackConfig(url string) Config {
	return Config{
		Name: "test", Type: TypeHTTP, Remote: RemoteConfig{URL: url}, Profile: profile.Options{Profile: "slack"},
		Digest: DigestConfig{Mode: ModeDigest, At: digest.Clock(7 * time.Hour)},
	}
}

// openSlack opens a sink of mode digest at a receiver.
func openSlack(t *testing.T, r http.RoundTripper, o Options, change ...func(*Config)) *httpDigest {
	t.Helper()
	c := slackConfig("https://hooks.example.com/services/T0/B0/s3cretofTwentyFourLetters?wait=true")
	for _, f := range change {
		f(&c)
	}
	s, err := Open(c, o)
	if err != nil {
		t.Fatal(err)
	}
	d := s.(*httpDigest)
	d.client.transport = r
	t.Cleanup(func() { s.Close() })
	return d
}

// title is the first line of a message.
func (a arrival) title(t *testing.T) string {
	t.Helper()
	var m struct{ Text string }
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		t.Fatal(err)
	}
	title, _, _ := strings.Cut(m.Text, "\n")
	return title
}

// unacknowledged is how many records a sink has still to get.
func unacknowledged(t *testing.T, l ledger.Ledger) (n int) {
	t.Helper()
	for _, err := range l.Unsent(t.Context(), "test") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// The first digest goes at once, the others at their time of the day.
func TestHTTPDigestDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, l := &otherEnd{}, memory.New()
		commit(t, l, 1, 3)
		follow(t, l, openSlack(t, r, Options{}), func(p *Pump) {
			pass(30 * time.Minute) // from midnight on
			for hour := range 72 {
				if hour < 30 {
					p.Offer(commit(t, l, 10+hour, 1))
				}
				pass(time.Hour)
			}
			expect(t, "counts", fmt.Sprint(p.Counts()), "map[delivered:33]")
		})
		var got []string
		for _, a := range r.got {
			got = append(got, a.at.UTC().Format("02 15:04 ")+a.title(t))
		}
		// Those of 00:30 to 06:30, then up to 05:30; nothing happens before the third morning.
		want := []string{"01 00:00 fblwatch: 3 records", "01 07:00 fblwatch: 7 records", "02 07:00 fblwatch: 23 records"}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		expect(t, "left", unacknowledged(t, l), 0)
	})
}

// Wherever the program dies, the records are in a digest that arrived.
func TestHTTPDigestCrash(t *testing.T) {
	for steps := range 6 {
		synctest.Test(t, func(t *testing.T) {
			l, left := memory.New(), steps
			m := mortal{l, &left}
			r := &otherEnd{}
			dying := roundTrip(func(request *http.Request) (*http.Response, error) {
				if m.dies() {
					return nil, errDead
				}
				response, err := r.RoundTrip(request)
				if m.dies() { // it has arrived, and the program does not know
					return nil, errDead
				}
				return response, err
			})
			commit(t, l, 1, 5)
			follow(t, m, openSlack(t, dying, Options{}), func(*Pump) { pass(time.Millisecond) })
			alive := len(r.got)
			expect(t, fmt.Sprintf("arrived before the death after %d steps", steps), alive, min(steps, 1))
			follow(t, l, openSlack(t, r, Options{}), func(*Pump) { pass(48 * time.Hour) })
			// Requests, answers, SetActed and Ack are the steps. Until Ack the digest comes again.
			expect(t, fmt.Sprintf("arrived after a death after %d steps", steps), len(r.got)-alive, map[bool]int{true: 1, false: 0}[steps < 4])
			for _, a := range r.got {
				expect(t, "digest", a.title(t), "fblwatch: 5 records")
			}
			expect(t, "left", unacknowledged(t, l), 0)
		})
	}
}

// Whatever Slack answers, no record is at fault. All of them wait, as long as it says.
func TestHTTPDigestWaits(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(int, arrival) (*http.Response, error)
		says   string
		later  time.Duration
	}{
		"too long":   {statuses(400), "answered 400 Bad Request: because", 0},
		"no payload": {statuses(413), "answered 413", 0},
		"gone":       {statuses(404), "check the path of url", 0},
		"forbidden":  {statuses(403), "answered 403", 0},
		"limited": {func(int, arrival) (*http.Response, error) { return status(429, "Retry-After", "3600"), nil },
			"answered 429", time.Hour},
		"torn": {func(int, arrival) (*http.Response, error) { return nil, errors.New("connection reset") }, "connection reset", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := openSlack(t, &otherEnd{answer: test.answer}, Options{})
			err := gatherInto(t.Context(), s, time.Time{}, delivery.Items(rows(1, 1, 3)))
			if err == nil || errors.As(err, new(delivery.Refusals)) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("says %v, want %q", err, test.says)
			}
			var later *delivery.Later
			if errors.As(err, &later) != (test.later > 0) || later != nil && later.After != test.later {
				t.Errorf("waits %+v, want %v", later, test.later)
			}
		})
	}
}

// A quiet day has no message unless the config wants one.
func TestHTTPDigestQuiet(t *testing.T) {
	r := &otherEnd{}
	s := openSlack(t, r, Options{})
	if err := gatherInto(t.Context(), s, time.Now(), nil); err != nil {
		t.Error(err)
	}
	expect(t, "messages", len(r.got), 0)
	s = openSlack(t, r, Options{}, func(c *Config) { c.Digest.Empty = true })
	if err := gatherInto(t.Context(), s, time.Now(), nil); err != nil {
		t.Error(err)
	}
	expect(t, "message", r.got[0].title(t), "fblwatch: nothing new")
}

func TestHTTPDigestConfig(t *testing.T) {
	yes := true
	for want, change := range map[string]func(*Config){
		"mode is not digest":      func(c *Config) { c.Digest = DigestConfig{Mode: "arf"} },
		"need mode: digest":       func(c *Config) { c.Digest.Mode = "" },
		"every is not between":    func(c *Config) { c.Digest.Every = time.Second },
		"needs the profile slack": func(c *Config) { c.Profile.Profile = "native" },
		"act is given":            func(c *Config) { c.Acting.Act = &yes },
		"url names a value":       func(c *Config) { c.Remote.URL += "/{tenant}" },
	} {
		c := slackConfig("https://hooks.example.com/services")
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// The configs of the page work as they are, but for the server's address.
func TestSlackDocs(t *testing.T) {
	t.Setenv("SLACK_WEBHOOK", "T0/B0/secret")
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ Text string }
		if r.Method == http.MethodHead {
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.URL.Path != "/services/T0/B0/secret" {
			t.Error(r.URL, err)
		}
		got = append(got, m.Text)
	}))
	defer server.Close()
	digests := 0
	for _, list := range docConfigs(t, "slack") {
		for _, c := range list {
			c.Remote.URL = strings.Replace(c.Remote.URL, "https://hooks.slack.com", server.URL, 1)
			if _, err := Probe(t.Context(), c); err != nil {
				t.Error(err)
			}
			s, err := Open(c, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if c.Digest.Mode == ModeDigest {
				digests++
				expect(t, "due", s.(Gatherer).Due(time.Date(2026, 1, 1, 7, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)), time.Date(2026, 1, 2, 7, 0, 0, 0, time.UTC))
				err = gatherInto(t.Context(), s, time.Time{}, itemsOf(t, ourReport("shop")))
			} else {
				_, err = s.Write(t.Context(), itemsOf(t, ourReport("shop")))
			}
			if err != nil {
				t.Error(err)
			}
			if last := got[len(got)-1]; !strings.Contains(last, "fblwatch: 1 record") || !strings.Contains(last, "yahoo") || strings.Contains(last, "jane") {
				t.Errorf("%q", last)
			}
		}
	}
	expect(t, "messages", len(got), 2)
	expect(t, "digests", digests, 1)
}
