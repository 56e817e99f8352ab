package message

import (
	"testing"
	"time"
)

func TestParseDate(t *testing.T) {
	for in, want := range map[string]string{
		"Mon, 06 Jul 2026 09:58:12 +0000":          "2026-07-06T09:58:12Z",
		"6 Jul 2026 09:58 -0730":                   "2026-07-06T17:28:00Z",
		"Fri, 06 Jul 2026 09:58:12 +0200":          "2026-07-06T07:58:12Z", // it was a Monday
		"Mon, 06 Jul 2026 05:58:12 EDT":            "2026-07-06T09:58:12Z",
		"Mon, 06 Jul 2026 05:58:12 PST":            "2026-07-06T13:58:12Z",
		"Mon, 06 Jul 2026 05:58:12 -0400 (EDT)":    "2026-07-06T09:58:12Z",
		"Thu, 29 Apr 2009 00:00:00 -0000 (EST)":    "2009-04-29T00:00:00Z",
		"8 Oct 2011 20:15:58 +0000 (GMT)":          "2011-10-08T20:15:58Z",
		"Mon, 18 Jan 2016 23:57:24 UTC":            "2016-01-18T23:57:24Z",
		"Mon, 18 Jan 16 23:57:24 GMT":              "2016-01-18T23:57:24Z",
		"Mon, 18 Jan 96 23:57:24 Z":                "1996-01-18T23:57:24Z",
		"Mon Jan 18 23:57:24 PST 2016":             "2016-01-19T07:57:24Z",
		"Mon, 18 Jan 2016 23:57:24 GMT +0100":      "2016-01-18T22:57:24Z",
		"2026-07-06T09:58:12Z":                     "2026-07-06T09:58:12Z",
		"2026-07-06T09:58:12.5+02:00":              "2026-07-06T07:58:12.5Z",
		"2026-07-06 09:58:12 +0200":                "2026-07-06T07:58:12Z",
		"2026-07-06 09:58:12 CEST":                 "2026-07-06T07:58:12Z",
		"06-Jul-2026 09:58:12 +0000":               "2026-07-06T09:58:12Z",
		"Mon, 06 Jul 2026 23:59:60 +0000":          "2026-07-07T00:00:00Z",
		"Mon,  6 July 2026 (summer) 9:58:12 +0000": "2026-07-06T09:58:12Z",
		"Mon, 06 Jul 2026 09:58:12 +0000 ":         "2026-07-06T09:58:12Z",
		"Mon, 06 Jul 2026 09:58:12 +0000 (UTC)":    "2026-07-06T09:58:12Z",
		// days and hours filled up with a blank, as C programs do
		"Mon,  6 Jul 2026 09:58:12 +0000":         "2026-07-06T09:58:12Z",
		"Thu,  2 Sep 2010 15:12:11 -0400 (EDT)":   "2010-09-02T19:12:11Z",
		" 6 Jul 2026 09:58:12 +0000":              "2026-07-06T09:58:12Z",
		"Mon, 06 Jul 2026  9:58:12 +0000":         "2026-07-06T09:58:12Z",
		"Mon,06 Jul 2026 09:58:12 +0000":          "2026-07-06T09:58:12Z",
		"Mon, 06 Jul 2026 09:58:12 (EDT) -0400":   "2026-07-06T13:58:12Z",
		"Mon, 06 Jul 2026 09:58:12 -0400 EDT":     "2026-07-06T13:58:12Z",
		"Sat, 29 Feb 2020 23:59:60 -0800 (PST)":   "2020-03-01T08:00:00Z",
		"Monday, 6 Sept. 2027 09:58:12 +0000":     "2027-09-06T09:58:12Z",
		"Mar  3 2010 02:13:35 +0100":              "2010-03-03T01:13:35Z",
		"mar 7 jul 2026 09:58:12 +0200":           "2026-07-07T07:58:12Z", // Tuesday, in Spanish
		"mar, 7 jul 2026 09:58:12 +0200":          "2026-07-07T07:58:12Z",
		"Mon, 06 Jul 2026 09:58:12 +0000 (a (b))": "2026-07-06T09:58:12Z",
		// no instant
		"":                                     "",
		"17 Feb 2014":                          "",
		"2014-02-17":                           "",
		"Mon, 06 Jul 2026 09:58:12":            "",
		"2026-07-06T09:58:12":                  "",
		"Mon, 06 Jul 2026 09:58:12 XYZ":        "",
		"Mon, 06 Jul 2026 09:58:12 IST":        "", // three countries use it
		"Mon, 06 Jul 2026 09:58:12 (EST)":      "",
		"Mon, 06 Jul 2026 09:58:12 +00":        "",
		"Mon, 06 Jul 2026 09:58:12 PM +0000":   "",
		"Mon, 31 Feb 2026 09:58:12 +0000":      "",
		"Mon, 06 Jul 2026 25:58:12 +0000":      "",
		"Mon, 06 Jul 2026 09:58:12 +0000 2027": "",
		"yesterday":                            "",
		"{{ date }}":                           "",
		"::::":                                 "",
		"mardi 7 juillet 2026 09:58:12 +0200":  "", // no March is meant
		"mar. 7 juil. 2026 09:58:12 +0200":     "",
		"7 marraskuuta 2026 09:58:12 +0200":    "", // November, in Finnish
		"Lundi 6 Juil 2026 09:58:12 +0200":     "",
		"06-07-2026 09:58:12 +0000":            "", // June or July
		"06/07/2026 09:58:12 +0000":            "",
		"Tue, 31 Feb 2026 23:59:60 +0000":      "",
		"Mon, 06 Jul 2026 09:58:12 A":          "", // RFC 5322 section 4.3: the military zones were used wrongly
		"1783331892":                           "",
		"20260706T095812":                      "",
	} {
		got, ok := ParseDate(in)
		if s := got.Format(time.RFC3339Nano); ok != (want != "") || ok && s != want {
			t.Errorf("%q: %s %t, want %s", in, s, ok, want)
		}
	}
}

// TestZones: each name of RFC 822 section 5.1 and RFC 5322 section 4.3, and the
// others that we know, at its distance from UTC in hours.
func TestZones(t *testing.T) {
	hours := map[string]int{"UT": 0, "GMT": 0, "UTC": 0, "Z": 0,
		"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
		"WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "AEST": 10, "AEDT": 11}
	for name, offset := range hours {
		got, ok := ParseDate("Mon, 06 Jul 2026 12:00:00 " + name)
		if want := time.Date(2026, 7, 6, 12-offset, 0, 0, 0, time.UTC); !ok || !got.Equal(want) {
			t.Errorf("%s: %v %t, want %v", name, got, ok, want)
		}
	}
	if len(hours) != len(zones) {
		t.Errorf("%d zones, want %d", len(zones), len(hours))
	}
}
