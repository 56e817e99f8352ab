package imapclient

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestParseFetch(t *testing.T) {
	date := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	for _, test := range []struct {
		line string
		want fetchLine
	}{
		{`(UID 5 RFC822.SIZE 77 INTERNALDATE " 2-Jan-2026 03:04:05 +0100")`, fetchLine{uid: 5, size: 77, date: date}},
		{`(uid 5 rfc822.size 77 internaldate "02-Jan-2026 03:04:05 +0100")`, fetchLine{uid: 5, size: 77, date: date}},
		{`(UID 5 INTERNALDATE NIL RFC822.SIZE -3)`, fetchLine{uid: 5, size: -1}},
		{`(UID 99999999999)`, fetchLine{size: -1, beyond: 99999999999}},
		{`(UID 99999999999999999999999)`, fetchLine{size: -1, beyond: 1<<64 - 1}},
		{`(FLAGS () UID 5)`, fetchLine{uid: 5, size: -1, hasFlags: true}},
		{`(FLAGS (\Seen $a]b %c "d e") MODSEQ (77) UID 5)`, fetchLine{uid: 5, size: -1, hasFlags: true, flags: []string{`\Seen`, "$a]b", "%c", "d e"}}},
		{`(UID 5 BODY[]<0> `, fetchLine{uid: 5, size: -1, open: true}},
		{`(UID 5 BODY[]<0>`, fetchLine{uid: 5, size: -1, open: true}},
		{`(BODY[] "a\"b\\c" UID 5)`, fetchLine{uid: 5, size: -1, body: []byte(`a"b\c`), hasBody: true}},
		{`(BODY[] NIL UID 5)`, fetchLine{uid: 5, size: -1}},
		{`(BODY[] 12 UID 5)`, fetchLine{uid: 5, size: -1}},
		{`(ENVELOPE ("a)" (("b" NIL)) NIL) UID 5)`, fetchLine{uid: 5, size: -1}},
		{`(BODYSTRUCTURE ("TEXT" "PLAIN" ("X" "BODY[] (")) UID 5`, fetchLine{uid: 5, size: -1}},
		{`BODY[`, fetchLine{size: -1}},
		{`BODY[]`, fetchLine{size: -1, open: true}},
		{`)))`, fetchLine{size: -1}},
	} {
		test.want.seq = 1
		got := parseFetch(1, []byte(test.line))
		if !got.date.Equal(test.want.date) {
			t.Errorf("%s: date %v", test.line, got.date)
		}
		got.date, test.want.date = time.Time{}, time.Time{}
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", test.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", test.line, got, test.want)
		}
	}
}

func TestLiteralSize(t *testing.T) {
	for line, want := range map[string]string{
		"a {12}": "a  12", "a ~{12}": "a  12", "a {12+}": "a  12", "{0}": " 0",
		"a {12} ": "-", "a {}": "-", "a {+}": "-", "a {-1}": "-", "a {1a}": "-", "12}": "-", "{99999999999999999999}": "-", "": "-", "}": "-",
	} {
		got := "-"
		if head, size, ok := literalSize([]byte(line)); ok {
			got = fmt.Sprintf("%s %d", head, size)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestDecodeUTF7(t *testing.T) {
	for name, want := range map[string]string{
		"INBOX": "INBOX", "Entw&APw-rfe": "Entwürfe", "a&-b": "a&b", "&U,BTFw-/&ZeVnLIqe-": "台北/日本語", "&2D3eAA-": "😀",
		"a&b": "a&b", "&!-": "&!-", "&AA-": "&AA-", "": "",
	} {
		if got := decodeUTF7(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
		if got := encodeUTF7(want); decodeUTF7(name) != name && got != name {
			t.Errorf("back from %q: %q, want %q", want, got, name)
		}
	}
	// RFC 3501 section 5.1.3: "&Jjo-" is U+263A, and shifts are not to follow upon each other.
	for name, want := range map[string]string{"a&b": "a&-b", "\u263a!": "&Jjo-!", "äö": "&AOQA9g-", "\t": "&AAk-", "~\x7f": "~&AH8-", "\xff": "&,,0-"} {
		if got := encodeUTF7(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestParseLines(t *testing.T) {
	if m, d, a := parseList([]byte(` (\HasNoChildren \Marked) "/" "a \"b\""`)); m != `a "b"` || d != '/' || strings.Join(a, " ") != `\HasNoChildren \Marked` {
		t.Error(m, d, a)
	}
	if m, d, a := parseList([]byte(` () NIL INBOX`)); m != "INBOX" || d != 0 || len(a) != 0 {
		t.Error(m, d, a)
	}
	m, st := parseStatusLine([]byte(` "a b" (MESSAGES 4294967296 UIDNEXT 9 SIZE 99999999999 UNSEEN x RECENT -1)`))
	if m != "a b" || st.Messages != nil || st.Unseen != nil || st.Recent != nil || *st.UIDNext != 9 || *st.Size != 99999999999 {
		t.Errorf("%q %+v", m, st)
	}
	if _, st := parseStatusLine([]byte("a (UIDVALIDITY 18446744073709551615 UIDNEXT 4294967296)")); st.UIDNext != nil || *st.UIDValidity != 1<<64-1 {
		t.Errorf("%+v", st)
	}
	if got := fmt.Sprint(parseNumbers([]byte(" 1 2 x 0 4294967296 3 (MODSEQ 4)"))); got != "[1 2 3] 4294967296" {
		t.Error(got)
	}
	for line, want := range map[string]string{
		"OK [UIDNEXT 3] text": "OK|UIDNEXT 3|text", "no  text ": "NO||text", "BAD": "BAD||", "BYE [x": "BYE||x", "OK " + strings.Repeat("x", 3000): "OK||" + strings.Repeat("x", 2000), "OKAY": "-", "": "-",
	} {
		got := "-"
		if st, ok := parseStatus([]byte(line)); ok {
			got = st.kind + "|" + st.code + "|" + st.text
		}
		if got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
