package trust

import (
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// tracesOf gives the trace of a message.
func tracesOf(t testing.TB, conf Config, dns Resolver, message string) []TraceField {
	t.Helper()
	c, err := New(conf, dns, table)
	if err != nil {
		t.Fatal(err)
	}
	return c.Trace(t.Context(), []byte(message), report.Parse([]byte(message)), "", time.Time{})
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

// A trace has each field in its order, what it says, and whether and why it counted.
func TestTrace(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	signed := sign(t, plain, reporter, allFields)
	const dkim = " dkim=pass header.d=" + reporter + " header.s=s"
	gateway := Mailbox{Profile: microsoft, Gateway: &Gateway{AuthservIDs: []string{"gw.example.com"}, Hops: []string{"gw.example.com"}, IPs: []string{"198.51.100.9"}}}
	const border = "Received: from gw.example.com (198.51.100.9) by AB1.mail.protection.outlook.com (10.0.0.1) with Microsoft SMTP Server; Mon, 1 Jun 2026 10:00:02 +0000\r\n"
	for name, test := range map[string]struct {
		message string
		change  func(*Config)
		want    string
	}{
		"above": {results("mx.example.com", dkim[1:]+"; spf=pass smtp.mailfrom=a@b.example; dmarc=none; iprev=pass") + receivedOurs + receivedTheir + found(dkim) + signed, nil, `
+ Authentication-Results: mx.example.com: dkim=pass fbl.example.net, spf=pass b.example, dmarc=none
+ Received: from out.fbl.example.net (198.51.100.1) by mx.example.com
- Received: from inner.example.net by out.fbl.example.net: hop_unknown
- Authentication-Results: mx.example.com: dkim=pass fbl.example.net: hop_unknown
- DKIM-Signature: d=fbl.example.net s=s`},
		"below": {receivedOurs + found(dkim) + found(dkim) + signed, nil, `
+ Received: from out.fbl.example.net (198.51.100.1) by mx.example.com
- Authentication-Results: mx.example.com: dkim=pass fbl.example.net: below
- Authentication-Results: mx.example.com: dkim=pass fbl.example.net: second_field
+ DKIM-Signature: d=fbl.example.net s=s`},
		"below, not verified": {receivedOurs + found(dkim) + results("mx2.example.com", dkim) + signed, func(c *Config) { c.DKIM = new(false) }, `
+ Received: from out.fbl.example.net (198.51.100.1) by mx.example.com
+ Authentication-Results: mx.example.com: dkim=pass fbl.example.net
- Authentication-Results: mx2.example.com: dkim=pass fbl.example.net: id_unknown
- DKIM-Signature: d=fbl.example.net s=s: dkim_off`},
		"no server": {found(dkim) + signed, nil, `
- Authentication-Results: mx.example.com: dkim=pass fbl.example.net: no_received
+ DKIM-Signature: d=fbl.example.net s=s`},
		"signatures": {"DKIM-Signature: v=1; a=none\r\n" + sign(t, sign(t, plain, "gone."+reporter, allFields), evil, allFields), nil, `
- DKIM-Signature: d=gone.fbl.example.net s=s: key
- DKIM-Signature: 
- DKIM-Signature: d=evil.example s=s: unsigned`},
		"signatures, more than are shown": {strings.Repeat(claim(evil), 9) + signed, nil, `
+ DKIM-Signature: d=fbl.example.net s=s` + strings.Repeat("\n- DKIM-Signature: d=evil.example s=s: unsigned", maxSignatures-1)},
		"an instance that is no seal's": {found(" dkim=pass; i=9") + "Received: i=8\r\n" + seal(t, signed, sealer, "mx.sealer.example; "+dkim, "none", append([]string{"DKIM-Signature"}, allFields...)), nil, `
- Authentication-Results: mx.example.com: dkim=pass: contradicted
- Received: : hop_unknown
+ ARC-Seal: i=1 d=sealer.example cv=none
+ ARC-Message-Signature: i=1 d=sealer.example s=s
+ ARC-Authentication-Results: i=1 mx.sealer.example: dkim=pass fbl.example.net
- DKIM-Signature: d=fbl.example.net s=s`},
		"sealed": {seal(t, signed, sealer, "mx.sealer.example; "+dkim, "none", append([]string{"DKIM-Signature"}, allFields...)), nil, `
+ ARC-Seal: i=1 d=sealer.example cv=none
+ ARC-Message-Signature: i=1 d=sealer.example s=s
+ ARC-Authentication-Results: i=1 mx.sealer.example: dkim=pass fbl.example.net
- DKIM-Signature: d=fbl.example.net s=s`},
		"sealed by another": {receivedOurs + seal(t, signed, evil, "mx.evil.example; "+dkim, "none", allFields), nil, `
+ Received: from out.fbl.example.net (198.51.100.1) by mx.example.com
- ARC-Seal: i=1 d=evil.example cv=none
- ARC-Message-Signature: i=1 d=evil.example s=s
- ARC-Authentication-Results: i=1 mx.evil.example: dkim=pass fbl.example.net
+ DKIM-Signature: d=fbl.example.net s=s`},
		"a profile's": {receivedMX1 + found(dkim) + signed, ofSystem(stripping), `
- Received: from out.fbl.example.net (198.51.100.1) by mx1.example.com: mailbox
- Authentication-Results: mx.example.com: dkim=pass fbl.example.net: mailbox
+ DKIM-Signature: d=fbl.example.net s=s`},
		"a gateway's": {"Authentication-Results: dkim=fail header.d=" + reporter + "\r\n" + border + strings.Replace(results("gw.example.com", dkim), "Results:", "Results-Original:", 1) + results("mx.example.com", dkim) +
			strings.Replace(receivedOurs, "mx.example.com", "gw.example.com", 1) + receivedTheir + signed, func(c *Config) { c.Mailbox = gateway }, `
- Authentication-Results: dkim=fail fbl.example.net
+ Received: from gw.example.com (198.51.100.9) by AB1.mail.protection.outlook.com
+ Authentication-Results-Original: gw.example.com: dkim=pass fbl.example.net
- Authentication-Results: mx.example.com: dkim=pass fbl.example.net: id_unknown
+ Received: from out.fbl.example.net (198.51.100.1) by gw.example.com
- Received: from inner.example.net by out.fbl.example.net: below
- DKIM-Signature: d=fbl.example.net s=s`},
	} {
		conf := config
		if test.change != nil {
			test.change(&conf)
		}
		got := ""
		for _, f := range tracesOf(t, conf, publish(t, reporter, sealer, evil), test.message) {
			got += "\n" + map[bool]string{true: "+ ", false: "- "}[f.Counted] + f.Name + ": " + f.Says
			if f.Code != "" {
				got += ": " + string(f.Code)
			}
			if f.Code == report.CodeKey && f.Why != "signature: its key is not in the DNS: s._domainkey.gone."+reporter {
				t.Errorf("%s: %s", name, f.Why)
			}
			if f.Why == "" || f.Counted && f.Code != "" {
				t.Errorf("%s: %+v", name, f)
			}
		}
		if got != test.want {
			t.Errorf("%s:%s\nwant%s", name, got, test.want)
		}
	}
	if trace := tracesOf(t, config, publish(t), "no header"); trace != nil {
		t.Errorf("of no message: %+v", trace)
	}
}
