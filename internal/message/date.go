package message

import (
	"strings"
	"time"
)

// zones are the zone names that mean one offset, in minutes: those of RFC 5322 section
// 4.3 and some that have one meaning. A date with another name is no instant;
// time.Parse reads it as UTC.
var zones = map[string]int{
	"UT": 0, "UTC": 0, "GMT": 0, "Z": 0,
	"EST": -5 * 60, "EDT": -4 * 60, "CST": -6 * 60, "CDT": -5 * 60,
	"MST": -7 * 60, "MDT": -6 * 60, "PST": -8 * 60, "PDT": -7 * 60,
	"WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180,
	"MSK": 180, "JST": 540, "AEST": 600, "AEDT": 660,
}

var months = [...]string{"january", "february", "march", "april", "may", "june",
	"july", "august", "september", "october", "november", "december"}

// dateParts are the parts of a date; -1 is unknown.
type dateParts struct {
	year, month, day, hour, minute, second, nanos int
	offset                                        int // minutes east
	words                                         int // before the time of day
	zoned, named, bad                             bool
}

// ParseDate reads a date as mail programs write it: RFC 5322 with or without weekday
// (which may be wrong), asctime with a zone, ISO 8601; at most 100 octets. It returns
// false if there is no time of day, no zone, or an unknown one.
func ParseDate(s string) (time.Time, bool) {
	d := dateParts{year: -1, month: -1, day: -1, hour: -1}
	if len(s) > 100 {
		return time.Time{}, false
	}
	if d.standard(s) {
		return d.time()
	}
	depth, start := 0, -1
	for i := 0; i <= len(s); i++ {
		c := byte(' ')
		if i < len(s) {
			c = s[i]
		}
		switch {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
			start = -1
			continue
		}
		if space := depth > 0 || c == ' ' || c == '\t' || c == ','; space && start >= 0 {
			d.token(s[start:i])
			start = -1
		} else if !space && start < 0 {
			start = i
		}
	}
	return d.time()
}

// standard reads the most common form, "Mon, 06 Jul 2026 09:58:12 +0000", quickly. If s
// has another form, it returns false and leaves d as it was.
func (d *dateParts) standard(s string) bool {
	if len(s) > 5 && s[3] == ',' && s[4] == ' ' {
		s = s[5:]
	}
	if len(s) > 0 && s[0] == ' ' { // the day is padded with a blank
		s = s[1:]
	}
	day := 2
	if len(s) > 1 && s[1] == ' ' {
		day = 1
	}
	if len(s) < day+24 || len(s) > day+24 && s[day+24] != ' ' {
		return false
	}
	r := s[day : day+24]
	if r[0] != ' ' || r[4] != ' ' || r[9] != ' ' || r[12] != ':' || r[15] != ':' || r[18] != ' ' || r[19] != '+' && r[19] != '-' {
		return false
	}
	p := dateParts{day: Number(s[:day]), month: monthOf(r[1:4]), year: Number(r[5:9]),
		hour: Number(r[10:12]), minute: Number(r[13:15]), second: Number(r[16:18])}
	if min(p.day, p.month, p.year, p.hour, p.minute, p.second) < 0 || p.hour > 23 || p.minute > 59 || p.second > 60 {
		return false
	}
	if p.numericZone(r[19:]); p.bad || len(s) > day+24 && !strings.HasPrefix(s[day+25:], "(") {
		return false
	}
	*d = p
	return true
}

// time returns the instant, if d has all its parts.
func (d *dateParts) time() (time.Time, bool) {
	if d.bad || !d.zoned || d.hour < 0 || d.year < 1900 || d.year > 9999 || d.month < 1 || d.day < 1 {
		return time.Time{}, false
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute-d.offset, d.second, d.nanos, time.UTC)
	if d.day > 28 && time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC).Day() != d.day {
		return time.Time{}, false // the 31st of February
	}
	return t, true
}

func (d *dateParts) token(s string) {
	switch c := s[0]; {
	case d.hour >= 0 && (c == '+' || c == '-'):
		d.numericZone(s)
	case '0' <= c && c <= '9':
		d.digits(s)
	case d.hour < 0 || d.month < 0:
		d.name(s)
	case !d.zoned:
		d.namedZone(s)
	default: // a comment without brackets
	}
}

// name reads a word before the time of day: a month or, if it is the first word, a
// weekday of any language. Some weekdays ("mar") look like a month.
func (d *dateParts) name(s string) {
	d.words++
	month := monthOf(s)
	switch {
	case month > 0 && (d.month < 0 || d.words == 2):
		d.month = month
	case d.words > 1 || len(s) < 3:
		d.bad = true
	}
}

// digits reads a token that begins with a digit: a day, a year, a time, or a
// whole date.
func (d *dateParts) digits(s string) {
	switch {
	case strings.IndexByte(s, ':') > 0 && d.hour < 0:
		if t := strings.IndexAny(s, "Tt"); t > 0 {
			d.digits(s[:t])
			s = s[t+1:]
		}
		d.clock(s)
	case strings.IndexByte(s, '-') > 0:
		one, rest, _ := strings.Cut(s, "-")
		two, three, _ := strings.Cut(rest, "-")
		if d.month = monthOf(two); len(one) == 4 {
			one, three = three, one
			if d.month < 0 { // in other orders, 06-07 is June or July
				d.month = Number(two)
			}
		}
		d.day, d.year = Number(one), yearOf(three)
		d.bad = d.bad || d.day > 31 || d.month < 1 || d.month > 12
	case d.day < 0 && len(s) <= 2:
		d.day = Number(s)
		d.bad = d.bad || d.day < 1 || d.day > 31
	case d.year < 0:
		d.year = yearOf(s)
	default:
		d.bad = true
	}
}

// clock reads hh:mm[:ss[.fraction]] and a zone stuck to it.
func (d *dateParts) clock(s string) {
	zone := ""
	if i := strings.IndexAny(s, "+-Zz"); i > 0 {
		s, zone = s[:i], s[i:]
	}
	hour, rest, _ := strings.Cut(s, ":")
	minute, second, seconds := strings.Cut(rest, ":")
	second, fraction, _ := strings.Cut(second, ".")
	d.hour, d.minute = Number(hour), Number(minute)
	if seconds {
		d.second = Number(second)
	}
	if f := Number((fraction + "000")[:3]); fraction != "" && f > 0 { // to milliseconds
		d.nanos = f * 1e6
	}
	d.bad = d.bad || d.hour < 0 || d.hour > 23 || d.minute < 0 || d.minute > 59 || d.second < 0 || d.second > 60
	switch {
	case zone == "":
	case zone[0] == 'Z' || zone[0] == 'z':
		d.namedZone(zone)
	default:
		d.numericZone(zone)
	}
}

func (d *dateParts) numericZone(s string) {
	digits := s[1:]
	if len(digits) > 4 {
		digits = strings.Replace(digits, ":", "", 1)
	}
	n := Number(digits)
	if len(digits) != 4 || n < 0 || n%100 > 59 || n > 1459 || d.zoned && !d.named {
		d.bad = true
		return
	}
	d.offset = n/100*60 + n%100
	if s[0] == '-' {
		d.offset = -d.offset
	}
	d.zoned, d.named = true, false
}

func (d *dateParts) namedZone(s string) {
	offset, known := zones[strings.ToUpper(s)]
	if !known {
		d.bad = true
		return
	}
	d.offset, d.zoned, d.named = offset, true, true
}

// monthOf reads a name, also its first three letters. A word that only begins
// like a month is none: "mardi" is a Tuesday, "marraskuu" November.
func monthOf(s string) int {
	if len(s) < 3 {
		return -1
	}
	first, second, third := LowerByte(s[0]), LowerByte(s[1]), LowerByte(s[2])
	for i, m := range months {
		if third != m[2] || second != m[1] || first != m[0] {
			continue
		}
		if rest := strings.TrimSuffix(s[3:], "."); rest == "" || strings.EqualFold(rest, m[3:]) || i == 8 && strings.EqualFold(rest, "t") {
			return i + 1
		}
	}
	return -1
}

// yearOf reads a year; two and three digits as RFC 5322 section 4.3 has it.
func yearOf(s string) int {
	n := Number(s)
	switch {
	case n < 0:
		return -1
	case len(s) == 2 && n < 50:
		return n + 2000
	case len(s) <= 3:
		return n + 1900
	}
	return n
}

// Number reads one to nine digits; it returns -1 for anything else.
func Number(s string) int {
	if s == "" || len(s) > 9 {
		return -1
	}
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = n*10 + int(s[i]-'0')
	}
	return n
}
