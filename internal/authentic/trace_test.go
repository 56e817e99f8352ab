package authentic

import (
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// tracesOf gives the trace of a mail.
func tracesOf(t testing.TB, conf Config, dns Resolver, mail string) []TraceField {
	t.Helper()
	c, err := New(conf, dns, table)
	if err != nil {
		t.Fatal(err)
	}
	return c.Trace(t.Context(), []byte(mail), report.Parse([]byte(mail), int64(len(mail))), "", time.Time{})
}

// A trace has a hundred fields at most, and its texts are short and printable
// whatever the header holds.
func TestTraceIsBounded(t *testing.T) {
	bad := "x" + strings.Repeat("\x80\x1b", 90)
	header := strings.Repeat(results(bad+".example", "dkim=pass header.d="+bad+strings.Repeat("; dkim=fail header.d="+bad, 20))+
		"Received: from "+bad+" ("+bad+" [192.0.2.1]) by "+bad+"; x\r\n", 30)
	trace := tracesOf(t, config, publish(t), strings.Repeat(receivedOurs, 80)+header+complaint("feedback@"+reporter, oursOriginal))
	if len(trace) != maxTrace {
		t.Errorf("%d fields", len(trace))
	}
	for _, f := range trace {
		for _, text := range []string{f.Name, f.Says, f.Why} {
			if len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("%q", text)
			}
		}
	}
}
