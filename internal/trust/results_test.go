package trust

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseResults(t *testing.T) {
	type props = map[string]string
	one := func(id, method, value string, p props) authResults {
		return authResults{id: id, spelling: id, results: []result{{method, value, p}}}
	}
	for _, test := range []struct {
		name, value string
		want        authResults
	}{
		{"nothing checked", " mx.example.com; none", authResults{id: "mx.example.com", spelling: "mx.example.com"}},
		{"version", "MX.example.com. 1; dkim=pass header.d=a.example", authResults{id: "mx.example.com", spelling: "MX.example.com. 1", results: []result{{"dkim", "pass", props{"header.d": "a.example"}}}}},
		{"no id", "spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=a.example;dkim=pass header.d=b.example;",
			authResults{results: []result{{"spf", "pass", props{"smtp.mailfrom": "a.example"}}, {"dkim", "pass", props{"header.d": "b.example"}}}}},
		{"blanks around =", "mx; dkim = Pass header.d = a.example", one("mx", "dkim", "pass", props{"header.d": "a.example"})},
		{"comments around =", "mx; DKIM (a) = (b; (c)) PASS (d) header.d (e) =\r\n\t(f) a.example", one("mx", "dkim", "pass", props{"header.d": "a.example"})},
		{"method version", "mx; dkim/1=pass", one("mx", "dkim", "pass", props{})},
		{"method version, with blanks", "mx; dkim / 1 = pass header.d=a.example", one("mx", "dkim", "pass", props{"header.d": "a.example"})},
		{"two words in front", "mx; a dkim=pass", one("mx", "", "", nil)},
		{"a method in two words", "mx; d kim=pass", one("mx", "", "", nil)},
		{"a letter whose lower case is one of ASCII", "mx; d\u212aim=pass", one("mx", "d\u212aim", "pass", props{})},
		{"a semicolon in a comment", "mx; dkim=pass (2048-bit key; unprotected) header.d=a.example", one("mx", "dkim", "pass", props{"header.d": "a.example"})},
		{"a comment without blanks", "mx; dmarc=pass(p=NONE) header.from=a.example;", one("mx", "dmarc", "pass", props{"header.from": "a.example"})},
		{"properties between semicolons", "mx; spf=pass (spfCheck: x) client-ip=192.0.2.1; envelope-from=a@b.example; helo=c.example;",
			authResults{id: "mx", spelling: "mx", results: []result{{"spf", "pass", props{"client-ip": "192.0.2.1", "envelope-from": "a@b.example"}}, {"helo", "c.example", props{}}}}},
		{"base64 ending in =", "mx; dkim=pass header.b=ab+/= header.d=a.example", one("mx", "dkim", "pass", props{"header.b": "ab+/=", "header.d": "a.example"})},
		{"quoted semicolon", `mx; spf=pass smtp.mailfrom="a; dkim=pass header.d=b"@c.example`,
			one("mx", "spf", "pass", props{"smtp.mailfrom": "a; dkim=pass header.d=b@c.example"})},
		{"comment with everything", `mx (a "b"; (c\) ; dkim=pass); x) 1; dkim=fail (; dkim=pass) reason="no; key"`,
			authResults{id: "mx", spelling: "mx 1", results: []result{{"dkim", "fail", props{"reason": "no; key"}}}}},
		{"two properties of one name", "mx; dkim=pass header.d=a.example header.d=b.example header.d=a.example", one("mx", "dkim", "pass", props{"header.d": ""})},
		{"a property twice", "mx; dkim=pass header.d=a.example header.d=a.example", one("mx", "dkim", "pass", props{"header.d": "a.example"})},
		{"a parenthesis within quotes in a comment", `mx; spf=pass (mx: domain of "a); dkim=pass header.d=b.example; (a"@c.example) smtp.mailfrom=c.example`, authResults{id: "mx", spelling: "mx", broken: true}},
		{"quotes in a comment", `mx; spf=pass (mx: domain of "a=b"@c.example) smtp.mailfrom=c.example`, one("mx", "spf", "pass", props{"smtp.mailfrom": "c.example"})},
		{"a comment of a client", "mx; spf=pass (sender authorized) smtp.mailfrom=a.example (client-ip=192.0.2.1; HELO=b.example; envelope-from=x@a.example; receiver=c) ;", one("mx", "spf", "pass", props{"smtp.mailfrom": "a.example"})},
		{"a comment of a client that goes on", "mx; spf=none smtp.mailfrom=evil.example (client-ip=192.0.2.1; helo=x; envelope-from=y); dkim=pass header.d=a.example (@evil.example; receiver=c)", authResults{id: "mx", spelling: "mx", broken: true}},
		{"a comment of a greeting that goes on", "mx; spf=none smtp.helo=x (client-ip=192.0.2.1; helo=x);dkim=pass()header.d=a.example(; receiver=c)", authResults{id: "mx", spelling: "mx", broken: true}},
		{"a comment that is closed twice", "mx; spf=none (domain of x); dkim=pass header.d=a.example y@evil.example designates)", authResults{id: "mx", spelling: "mx", broken: true}},
		{"open comment", "mx; dkim=pass header.d=a.example (", authResults{id: "mx", spelling: "mx", broken: true}},
		{"open quote", `mx; dkim=pass header.d="a.example`, authResults{id: "mx", spelling: "mx", broken: true}},
		{"all in a comment", "(mx; dkim=pass", authResults{broken: true}},
		{"empty", "", authResults{}},
		{"id in a comment", "(mx.example.com) other; dkim=pass", one("other", "dkim", "pass", props{})},
	} {
		if len(test.want.results) > 0 && test.want.results[0].props == nil {
			test.want.results = nil
		}
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, parseResults(test.value), cmp.AllowUnexported(authResults{}, result{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestStampedBy(t *testing.T) {
	const queue, ours = "(qmail 1 invoked from network); 1 Jun 2026 10:00:00 -0000", "from unknown (HELO x) (192.0.2.1) by mx.example.com with SMTP; 1 Jun 2026 10:00:00 -0000"
	for _, test := range []struct {
		want   string
		values []string
	}{
		{"mx.example.com", []string{"from a.example (b.example [192.0.2.1]) by MX.example.com (Postfix) with ESMTP id 1; Mon, 1 Jun 2026 10:00:00 +0000"}},
		{"2002:a05:6402::1", []string{"by 2002:a05:6402::1 with SMTP id x"}},
		{"", []string{"from x (HELO by mx.example.com) by b.example"}},
		{"", []string{"from \"a by mx.example.com\" by b.example"}},
		{"", []string{"from a; by mx.example.com"}},
		{"", []string{""}},
		{"", []string{"by"}},
		{"mx.example.com", []string{ours, "by b.example"}},
		{"mx.example.com", []string{queue, ours}},
		{"mx.example.com", []string{"(qmail 2 invoked by uid 89); 1 Jun 2026 10:00:00 -0000", "(qmail 1 invoked by alias); 1 Jun 2026 10:00:00 -0000", queue, ours}},
		{"b.example", []string{queue, "by b.example", ours}},
		{"", []string{queue}},
		{"", []string{queue, queue, queue, queue, queue, ours}},
		{"b.example", []string{"(qmail 1 invoked from network) by b.example with SMTP", ours}},
		{"", []string{"(Haraka outbound); 1 Jun 2026 10:00:00 -0000", ours}},
	} {
		var fields []headerField
		for _, v := range test.values {
			fields = append(fields, headerField{name: "received", raw: "Received: " + v + "\r\n"}, headerField{name: "subject", raw: "Subject: by x\r\n"})
		}
		if got := stampedBy(fields); got != test.want {
			t.Errorf("%q: got %q, want %q", test.values, got, test.want)
		}
	}
}

// A server of ours that runs qmail writes two Received, of which one names no
// host. Below a foreign one such a line is anybody's.
func TestQueueOfQmail(t *testing.T) {
	const (
		queue = "Received: (qmail 4711 invoked from network); 1 Jun 2026 10:00:01 -0000\r\n"
		qmail = "Received: from unknown (HELO out.example.net) (198.51.100.1) by mx.example.com with SMTP; 1 Jun 2026 10:00:00 -0000\r\n"
	)
	found := results("mx.example.com", dkimPass(reporter))
	plain := claim(reporter) + complaint("feedback@"+reporter, oursOriginal)
	for name, test := range map[string]struct {
		message string
		want    bool
	}{
		"found behind the queue":     {queue + found + qmail + plain, true},
		"of two queues":              {queue + queue + found + qmail + plain, true},
		"no server below":            {queue + found + plain, false},
		"another's server below":     {queue + found + receivedTheir + plain, false},
		"below another's server":     {qmail + receivedTheir + queue + found + qmail + plain, false},
		"another's, with ours below": {queue + receivedTheir + found + qmail + plain, false},
	} {
		conf := config
		conf.DKIM = new(bool)
		if got := check(t, conf, nil, test.message, true, time.Time{}, false); got.Trusted != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
