package trust

import (
	"testing"
	"time"
)

// A server that writes what its client says (policyd-spf of Postfix, with
// Header_Type AR) can be made to say dkim=pass where only our servers write. What it
// says is doubted then; a signature that verifies proves the report all the same.
func TestClientsWordsAmongResults(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	signed := sign(t, plain, reporter, allFields)
	const says = "dkim=pass header.d=" + reporter
	greets := func(word string) string {
		return "Received: from " + word + " (x.evil.example [203.0.113.9]) by mx.example.com with ESMTP id 1; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
	}
	for name, test := range map[string]struct{ top, forged string }{
		"no signature":                         {found(" spf=none smtp.mailfrom=evil.example; "+says) + receivedOurs, plain},
		"a signature of the attacker's alone":  {found(" "+says) + receivedOurs, sign(t, plain, evil, allFields)},
		"its server's other field says fail":   {found(" spf=none smtp.helo=x; "+says) + found(" dkim=fail header.d="+reporter+" header.s=s") + receivedOurs, claim(reporter) + plain},
		"its server's other field says policy": {found(" "+says) + found(" dkim=policy header.i=@"+reporter) + receivedOurs, claim(reporter) + plain},
		"a greeting that ends a comment":       {found(" spf=none smtp.helo=x (client-ip=203.0.113.9; helo=x);dkim=pass()header.d="+reporter+"(; receiver=y)") + receivedOurs, claim(reporter) + plain},
		"an envelope that ends a comment":      {found(" spf=none smtp.mailfrom="+evil+" (client-ip=203.0.113.9; envelope-from=x); "+says+" (@"+evil+"; receiver=y)") + receivedOurs, claim(reporter) + plain},
		"a greeting with results":              {found(" spf=none smtp.helo=x;dkim=pass()header.d="+reporter) + greets("x;dkim=pass()header.d="+reporter), claim(reporter) + plain},
		"a greeting with a hop":                {found(" spf=none smtp.helo=x;dkim=pass()header.d="+reporter) + greets("x by mx.example.com (x.example [198.51.100.1])"), claim(reporter) + plain},
	} {
		for _, verifies := range []bool{true, false} {
			conf := config
			conf.DKIM, conf.ARCSealers = new(verifies), nil
			if got := check(t, conf, publish(t, reporter, evil), test.top+test.forged, true, time.Time{}, false); got.Trusted || got.Auth == pass {
				t.Errorf("%s, verified: %v: %+v", name, verifies, got)
			}
			if got := check(t, conf, publish(t, reporter, evil), test.top+signed, true, time.Time{}, false); verifies && !got.Trusted {
				t.Errorf("%s, and signed: %+v", name, got)
			}
		}
	}
}
