package message

import (
	"strings"
	"testing"
)

const framed = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n"

// TestFrameOf: what is plain, and what is not.
func TestFrameOf(t *testing.T) {
	long := strings.Repeat("x", 70)
	const typ = "multipart/report; report-type=feedback-report; boundary="
	for _, test := range []struct {
		contentType, encoding, body string
		want                        Frame
	}{
		{contentType: typ + "b", want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: typ + `"b"`, want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: typ + `"b";`, want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: " Multipart/REPORT;Boundary=b;\r\n\tReport-Type=\"feedback-report\" ", want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: "multipart/mixed; charset=utf-8; boundary=b", want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: typ + `"_----------=_1'()+_,-./:=?"`, body: "--_----------=_1'()+_,-./:=?\n", want: Frame{Boundary: "_----------=_1'()+_,-./:=?", Unencoded: true}},
		{contentType: typ + `"_----------=_1'+_,-./:=?"`, body: "--_----------=_1'+_,-./:=?\n", want: Frame{Boundary: "_----------=_1'+_,-./:=?", Unencoded: true, Plain: true}},
		{contentType: typ + long, body: "--" + long + "\n", want: Frame{Boundary: long, Unencoded: true, Plain: true}},
		{contentType: typ + long + "x", body: "--" + long + "x\n", want: Frame{Boundary: long + "x", Unencoded: true}},
		{contentType: typ + `"a b"`, body: "--a b\n", want: Frame{Boundary: "a b", Unencoded: true}},
		{contentType: typ + "b; boundary=b", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b; x*=y", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b; x=(y)", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b; x=;", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b; x", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b; x=\"y\" z", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b; x=\"y", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b; x=" + strings.Repeat("y", 1000), want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: "multipart/digest; boundary=b", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "c"},
		{contentType: "multipart/report"},
		{contentType: "text/plain; boundary=b"},
		{contentType: "message/rfc822; boundary=b", want: Frame{Unencoded: true}},
		{contentType: "message/rfc822; boundary=b", encoding: "base64"},
		{contentType: ""},

		// Encodings.
		{contentType: typ + "b", encoding: " 7BIT\r\n", want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: typ + "b", encoding: "8bit", want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: typ + "b", encoding: "binary", want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: typ + "b", encoding: "7bit (x)", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b", encoding: "base64", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b", encoding: "quoted-printable", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b", encoding: "quoted-printable", body: "--=62\n\n--=62--\n"},
		{contentType: typ + "b", encoding: "base64", body: "LS1iCgotLWItLQo=\n"},

		// What stands before the first delimiter.
		{contentType: typ + "b", body: "\n \n--b\n", want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: typ + "b", body: "This is a message in MIME format.\nx\n--b\n", want: Frame{Boundary: "b", Unencoded: true, Plain: true}},
		{contentType: typ + "b", body: "x\n--b\n", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b", body: "MIME\n--c\n--b\n", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b", body: "--bb\n--b\n", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b", body: "--b--\n--b\n", want: Frame{Boundary: "b", Unencoded: true}},
		{contentType: typ + "b", body: "MIME\n" + strings.Repeat("\n", 256<<10) + "--b\n"},
		{contentType: typ + "b", body: " --b\n"},
	} {
		if test.body == "" {
			test.body = framed
		}
		if got := FrameOf(test.contentType, test.encoding, []byte(test.body)); got != test.want {
			t.Errorf("%.120q, %q, %.40q:\ngot  %+v\nwant %+v", test.contentType, test.encoding, test.body, got, test.want)
		}
	}
}
