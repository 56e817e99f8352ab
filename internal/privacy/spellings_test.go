package privacy_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// An address has many spellings. Hashed, "§" stands for the local part here; what
// is dropped is "-".
func TestSpellings(t *testing.T) {
	const (
		mary   = "mary.smith@example.com"
		blank  = `"mary smith"@example.com`
		tagged = "mary.smith+a@example.com"
	)
	tests := []struct{ name, whom, text, hashed, dropped string }{
		{"quoted", mary, `x "mary.smith"@example.com y`, `x §@example.com y`, `x - y`},
		{"quoted, by words", mary, `x mary."smith"@example.com y`, `x §@example.com y`, `x - y`},
		{"quoted first word", mary, `x "mary".smith@example.com y`, `x §@example.com y`, `x - y`},
		{"quoted pair", mary, `x "m\ary\.smith"@example.com y`, `x §@example.com y`, `x - y`},
		{"known as quoted", `"mary.smith"@example.com`, `x mary.smith@example.com y`, `x §@example.com y`, `x - y`},
		{"quoted, with a blank", blank, `x "mary smith"@example.com y`, `x §@example.com y`, `x - y`},
		{"quoted, a blank and a pair", blank, `x "mary\ smith"@example.com y`, `x §@example.com y`, `x - y`},
		{"quoted, in percent", mary, `?e=%22mary.smith%22%40example.com&y`, `?e=§%40example.com&y`, `?e=-&y`},
		{"quoted, in JSON", mary, `{"e":"\"mary.smith\"@example.com"}`, `{"e":"§@example.com"}`, `{"e":"-"}`},
		{"quoted, in HTML", mary, `<a title="&quot;mary.smith&quot;&#64;example.com">`, `<a title="§&#64;example.com">`, `<a title="-">`},
		{"a JSON text", mary, `{"e":"mary.smith@example.com"}`, `{"e":"§@example.com"}`, `{"e":"-"}`},

		{"blanks", mary, `x <mary.smith @ example.com> y`, `x <§ @ example.com> y`, `x <-> y`},
		{"folded", mary, "x <mary.smith@\r\n example.com> y", "x <§@\r\n example.com> y", `x <-> y`},
		{"blanks at full stops", mary, `x <mary . smith@example . com> y`, `x <§@example . com> y`, `x <-> y`},
		{"comment before", mary, `x mary.smith(Mary (at) home)@example.com y`, `x §@example.com y`, `x - y`},
		{"comment behind", mary, `x mary.smith@(at home)example.com y`, `x §@(at home)example.com y`, `x - y`},
		{"comments at full stops", mary, `x mary(a).(b)smith@example(c).(\)d)com y`, `x §@example(c).(\)d)com y`, `x - y`},
		{"comment with parentheses", mary, `x mary.smith (a (b) \) c) @example.com y`, `x § @example.com y`, `x - y`},
		{"tags", mary, `x mary.smith<wbr>@<wbr>example.com y`, `x §@<wbr>example.com y`, `x - y`},
		{"HTML comment", mary, `x mary.smith<!-- no -->@example.com y`, `x §@example.com y`, `x - y`},
		{"encoded blanks", mary, `x mary.smith%20%40%20example.com y`, `x §%20%40%20example.com y`, `x - y`},
		{"no-break space", mary, `x mary.smith&nbsp;@&nbsp;example.com y`, `x §&nbsp;@&nbsp;example.com y`, `x - y`},

		{"Q word, then plain", mary, `x =?utf-8?Q?mary=2Esmith?=@example.com y`, `x §@example.com y`, `x - y`},
		{"B word, then plain", mary, `x =?utf-8?B?bWFyeS5zbWl0aA==?=@example.com y`, `x §@example.com y`, `x - y`},
		{"plain, then Q word", mary, `x mary.smith@=?utf-8?Q?example?=.com y`, `x §@=?utf-8?Q?example?=.com y`, `x - y`},
		{"plain, then Q word with at", mary, `x mary.=?utf-8?Q?smith=40exam?=ple.com y`, `x §@example.com y`, `x - y`},
		{"word, blank, plain", mary, "x =?utf-8?Q?mary=2Esmith?=\r\n @example.com y", "x §\r\n @example.com y", `x - y`},
		{"two words and plain between", mary, `x =?utf-8?Q?mary?=.=?utf-8?Q?smith?=@example.com y`, `x §@example.com y`, `x - y`},

		{"parameters", mary, `https://a.example.net/u?l=mary.smith&d=example.com`, `https://a.example.net/u?l=§&d=example.com`, `https://a.example.net/u?l=-&d=example.com`},
		{"parameters, turned round", mary, `?d=example.com&l=mary.smith&x`, `?d=example.com&l=§&x`, `?d=example.com&l=-&x`},
		{"parameters, others between", mary, `?l=mary.smith&list=4&d=example.com`, `?l=§&list=4&d=example.com`, `?l=-&list=4&d=example.com`},
		{"parameters in HTML", mary, `?l=mary.smith&amp;d=example.com"`, `?l=§&amp;d=example.com"`, `?l=-&amp;d=example.com"`},
		{"parameters, quoted-printable", mary, "?l=3Dmary.smith&d=3Dexam=\r\nple.com", "?l=3D§&d=3Dexam=\r\nple.com", "?l=3D-&d=3Dexam=\r\nple.com"},
		{"parameters, in percent", mary, `u=%3Fl%3Dmary.smith%26d%3Dexample.com%26x`, `u=%3Fl%3D§%26d%3Dexample.com%26x`, `u=%3Fl%3D-%26d%3Dexample.com%26x`},
		{"members of JSON", mary, `{"local": "mary.smith", "domain": "example.com"}`, `{"local": "§", "domain": "example.com"}`, `{"local": "-", "domain": "example.com"}`},
		{"members of JSON, turned round", mary, `{"host":"example.com","user":"mary.smith"}`, `{"host":"example.com","user":"§"}`, `{"host":"example.com","user":"-"}`},
		{"path", mary, `https://a.example.net/u/example.com/mary.smith/7`, `https://a.example.net/u/example.com/§/7`, `https://a.example.net/u/example.com/-/7`},
		{"attributes", mary, `<a data-user='mary.smith' data-domain='example.com'>`, `<a data-user='§' data-domain='example.com'>`, `<a data-user='-' data-domain='example.com'>`},
		{"script", mary, `document.write('mary.smith' + '@' + 'example.com')`, `document.write('§' + '@' + 'example.com')`, `document.write('-' + '@' + 'example.com')`},
		{"parameters, end of a sentence", mary, `See ?l=mary.smith&d=example.com. And`, `See ?l=§&d=example.com. And`, `See ?l=-&d=example.com. And`},
		{"parameters, end of a text", mary, `?l=mary.smith&d=example.com.`, `?l=§&d=example.com.`, `?l=-&d=example.com.`},
		{"not in parameters, another domain", mary, `?l=mary.smith&d=example.com.au x`, `?l=mary.smith&d=example.com.au x`, `?l=mary.smith&d=example.com.au x`},
		{"not in parameters", mary, `?l=xmary.smith&d=example.com`, `?l=xmary.smith&d=example.com`, `?l=xmary.smith&d=example.com`},
		{"not in other lines", mary, "a: mary.smith\r\nb: example.com", "a: mary.smith\r\nb: example.com", "a: mary.smith\r\nb: example.com"},

		{"commat", mary, `x mary.smith&commat;example.com y`, `x §&commat;example.com y`, `x - y`},
		{"commat and period", mary, `x mary&period;smith&commat;example&period;com y`, `x §&commat;example&period;com y`, `x - y`},
		{"commat, escaped", mary, `x mary.smith&amp;commat;example.com y`, `x §&amp;commat;example.com y`, `x - y`},
		{"no semicolon", mary, `x mary.smith&#64example.com y`, `x §&#64example.com y`, `x - y`},
		{"no semicolon, zeros", mary, `x mary.smith&#00064example.com y`, `x §&#00064example.com y`, `x - y`},
		{"hexadecimal, zeros", mary, `x mary.smith&#X0040;example.com y`, `x §&#X0040;example.com y`, `x - y`},
		{"references only", "a@b.example", `x &#97;&#64;&#98;&#46;example y`, `x §&#64;&#98;&#46;example y`, `x - y`},
		{"reference, escaped", mary, `x mary.smith&amp;#64;example.com y`, `x §&amp;#64;example.com y`, `x - y`},
		{"reference, quoted-printable", mary, `x mary.smith=26#64;example.com y`, `x §=26#64;example.com y`, `x - y`},

		{"percent, twice", mary, `?e=mary.smith%2540example.com`, `?e=§%2540example.com`, `?e=-`},
		{"percent, twice and whole", mary, `?e=mary.smith%25%34%30example.com`, `?e=§%25%34%30example.com`, `?e=-`},
		{"percent, all twice", mary, `?e=` + hexed("%", hexed("%", mary)), `?e=§` + hexed("%", hexed("%", "@example.com")), `?e=-`},
		{"percent, three times", mary, `?e=mary.smith%252540example.com`, `?e=§%252540example.com`, `?e=-`},
		{"percent, JavaScript's", mary, `?e=mary.smith%u0040example.com`, `?e=§%u0040example.com`, `?e=-`},
		{"percent in quoted-printable", mary, `?e=3Dmary.smith=2540example.com`, `?e=3D§=2540example.com`, `?e=3D-`},
		{"percent of a reference", mary, `?e=mary.smith%26%2364%3Bexample.com`, `?e=§%26%2364%3Bexample.com`, `?e=-`},
		{"xtext", tagged, `rfc822;mary.smith+2Ba@example.com;`, `rfc822;§@example.com;`, `rfc822;-;`},
		{"xtext, all", mary, `rfc822;mary.smith+40example.com;`, `rfc822;§+40example.com;`, `rfc822;-;`},

		{"JSON, twice", mary, `{"e":"mary.smith\\u0040example.com"}`, `{"e":"§\\u0040example.com"}`, `{"e":"-"}`},
		{"JavaScript", mary, `'mary.smith\x40example.com'`, `'§\x40example.com'`, `'-'`},
		{"JavaScript, braces", mary, `'mary.smith\u{40}example.com'`, `'§\u{40}example.com'`, `'-'`},
		{"octal", mary, `'mary.smith\100example.com'`, `'§\100example.com'`, `'-'`},
		{"escaped at", mary, `x mary\.smith\@example\.com y`, `x §\@example\.com y`, `x - y`},

		{"words", mary, `x mary.smith AT example DOT com y`, `x § AT example DOT com y`, `x - y`},
		{"words, all", mary, `x mary dot smith at example dot com y`, `x § at example dot com y`, `x - y`},
		{"words in brackets", mary, `x mary[dot]smith [at] example [dot] com y`, `x § [at] example [dot] com y`, `x - y`},
		{"words in parentheses", mary, `x mary.smith (at) example (dot) com y`, `x § (at) example (dot) com y`, `x - y`},
		{"full width", mary, `x mary.smith＠example。com y`, `x §＠example。com y`, `x - y`},
		{"invisible", mary, "x mary.\u200bsmith\u200b@exam\u00adple.com y", "x §\u200b@exam\u00adple.com y", `x - y`},
		{"VERP with an underscore", mary, `x b.mary.smith_example.com@example.net y`, `x b.§_example.com@example.net y`, `x b.-@example.net y`},
		{"a route", "@relay.example.net:mary.smith@example.com", `x mary.smith@example.com y`, `x §@example.com y`, `x - y`},
		{"with its type", "rfc822; mary.smith@example.com", `x mary.smith@example.com y`, `x §@example.com y`, `x - y`},
		{"Python", mary, `x mary.smith\U00000040example.com y`, `x §\U00000040example.com y`, `x - y`},
		{"bang path", mary, `x example.com!mary.smith y`, `x example.com!§ y`, `x - y`},
		{"UTF-7", mary, `x mary.smith+AEA-example.com y`, `x §+AEA-example.com y`, `x - y`},
		{"UTF-16", "ann@b.example", "x a\x00n\x00n\x00@\x00b\x00.\x00e\x00x\x00a\x00m\x00p\x00l\x00e\x00 y", "x §\x00@\x00b\x00.\x00e\x00x\x00a\x00m\x00p\x00l\x00e\x00 y", "x -\x00 y"},
		{"for the DNS", "mary@bücher.example", `x mary@xn--bcher-kva.example y`, `x §@xn--bcher-kva.example y`, `x - y`},
		{"from the DNS", "mary@xn--bcher-kva.example", `x mary@BÜCHER.example mary@b%C3%BCcher.example y`, `x §@BÜCHER.example §@b%C3%BCcher.example y`, `x - - y`},
		{"letters beyond ASCII", "jürgen@example.com", "x JÜRGEN@example.com ju\u0308rgen@example.com j\xfcrgen@example.com y", "x §@example.com §@example.com §@example.com y", `x - - - y`},
		{"base64 of parameters", mary, base64.StdEncoding.EncodeToString([]byte(`?l=mary.smith&d=example.com  `)), "", ""},
	}
	for _, addresses := range []string{"hash", "drop"} {
		f := filter(t, addresses, "keep")
		for _, test := range tests {
			with, want := "redacted", strings.ReplaceAll(test.dropped, "-", "redacted")
			if strings.Contains(test.dropped, "--") || strings.Contains(test.dropped, "data-") {
				want = strings.Replace(test.dropped, "'-'", "'redacted'", 1)
			}
			if addresses == "hash" {
				address := strings.ReplaceAll(test.whom, `"`, "")
				if strings.Contains(address, mary) {
					address = mary // without what stands before it
				}
				with, _, _ = strings.Cut(report.Redact([]byte(key), address), "@")
				want = strings.ReplaceAll(test.hashed, "§", with)
			}
			record := report.Record{OriginalRcptTo: test.whom, Extensions: map[string][]string{"x-one": {test.text}}}
			records := []report.Record{record}
			f.Records(records)
			got := records[0].Extensions["x-one"][0]
			if test.hashed == "" {
				b, _ := base64.StdEncoding.DecodeString(got)
				got, want = string(b), "?l="+with+"&d=example.com  "
			}
			if got != want {
				t.Errorf("%s, %s: %q, not %q", addresses, test.name, got, want)
			}
			head := string(f.Head([]byte("To: x\r\n\r\n"+test.text+"\r\n\r\nend"), &report.Report{OriginalRcptTo: []string{test.whom}}))
			if test.hashed != "" && head != "To: x\r\n\r\n"+want+"\r\n\r\nend" {
				t.Errorf("%s, %s: in the head %q, not %q", addresses, test.name, head, want)
			}
		}
	}
}
