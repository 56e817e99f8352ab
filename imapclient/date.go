package imapclient

import (
	"strconv"
	"strings"
	"time"
)

const (
	internalDate = "_2-Jan-2006 15:04:05 -0700" // RFC 9051 section 9: date-time
	maxDate      = 100                          // octets of a date
	// firstYear is the first year in which a server can have received a message.
	// Earlier dates mean "none": Domino's 00-Jan-0000, 1970, FAT's 1980.
	firstYear = 1990
)

// zoneNames are in minutes east; RFC 5322 section 4.3 has those of America.
var zoneNames = map[string]int{
	"UT": 0, "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120, "EET": 120, "EEST": 180, "MSK": 180, "JST": 540,
	"EST": -300, "EDT": -240, "CST": -360, "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
}

// readDate reads an INTERNALDATE as servers write it: also with a weekday, with
// blanks, in the order of ISO 8601, or with the name of the zone. Without a readable
// zone it is UTC, which may be wrong by 14 hours. ok is false if the day, month, year
// or time of day is missing, ambiguous (02-03-2026) or impossible.
func readDate(s string) (t time.Time, ok bool) {
	t, err := time.Parse(internalDate, s)
	if err != nil {
		var d looseDate
		if len(s) > maxDate {
			return time.Time{}, false
		}
		for _, word := range strings.Fields(strings.ReplaceAll(s, ",", " ")) {
			if !d.word(word) {
				return time.Time{}, false
			}
		}
		if t, ok = d.time(); !ok {
			return time.Time{}, false
		}
	}
	if t.Year() < firstYear {
		return time.Time{}, false
	}
	return t, true
}

// looseDate is a date that is read word by word. 0: not read yet.
type looseDate struct {
	year, month, day     int
	hour, minute, second int
	clock, zoned         bool
	offset               int // minutes east
}

// word takes one word. It returns false if the date is unreadable.
func (d *looseDate) word(w string) bool {
	switch date, clock, isISO := strings.Cut(strings.ToUpper(w), "T"); {
	case !d.clock && isISO && strings.Contains(clock, ":") && strings.Count(date, "-") == 2:
		return d.date(date) && d.clockOf(clock)
	case !d.clock && strings.Contains(w, ":"):
		return d.clockOf(w)
	case !d.clock && d.day == 0 && strings.Count(w, "-") == 2:
		return d.date(w)
	case digits(w) >= 0:
		return d.number(w)
	case !d.clock || d.month == 0:
		if m := monthOf(w); m > 0 && d.month == 0 {
			d.month = m
		}
		return true // a weekday, or another word before the date
	}
	return d.afterClock(w)
}

// date takes 12-Feb-2018 or 2018-02-12.
func (d *looseDate) date(w string) bool {
	part := strings.Split(w, "-")
	if len(part[0]) == 4 {
		part[0], part[2] = part[2], part[0]
		d.month = max(digits(part[1]), 0)
	}
	if d.month == 0 {
		d.month = monthOf(part[1])
	}
	d.day, d.year = digits(part[0]), yearOf(part[2])
	return d.day > 0 && d.month > 0 && d.year > 0
}

// clockOf takes 19:50, 19:50:00 or 19:50:00.123, and a zone without a blank before it.
func (d *looseDate) clockOf(w string) bool {
	zone := ""
	if i := strings.IndexFunc(w, func(r rune) bool { return !strings.ContainsRune("0123456789:.", r) }); i > 0 {
		w, zone = w[:i], w[i:]
	}
	part := strings.Split(w, ":")
	if len(part) == 2 {
		part = append(part, "0")
	}
	if len(part) != 3 {
		return false
	}
	second, _, _ := strings.Cut(part[2], ".")
	d.hour, d.minute, d.second, d.clock = digits(part[0]), digits(part[1]), digits(second), true
	if d.hour < 0 || d.hour > 23 || d.minute < 0 || d.minute > 59 || d.second < 0 || d.second > 60 {
		return false
	}
	return zone == "" || d.afterClock(zone)
}

// number takes a day or a year.
func (d *looseDate) number(w string) bool {
	switch {
	case !d.clock && d.day == 0 && len(w) <= 2:
		d.day = digits(w)
	case d.year == 0:
		d.year = yearOf(w)
	default:
		return false
	}
	return true
}

// afterClock takes a word after the time of day: AM, PM, or a zone. An offset counts
// more than a name, and an unknown name is ignored.
func (d *looseDate) afterClock(w string) bool {
	name, offset := strings.Trim(strings.ToUpper(w), "()"), ""
	switch name {
	case "AM", "PM":
		if d.hour < 1 || d.hour > 12 {
			return false
		}
		d.hour %= 12
		if name == "PM" {
			d.hour += 12
		}
		return true
	}
	if i := strings.IndexAny(name, "+-"); i >= 0 { // GMT+3 too
		name, offset = name[:i], name[i:]
	}
	if d.zoned {
		return true
	}
	if offset != "" {
		d.offset, d.zoned = offsetOf(offset)
		return true
	}
	if known, ok := zoneNames[name]; ok {
		d.offset = known // an offset may follow
	}
	return true
}

// offsetOf reads +0300, +03:00 and +3, up to 14 hours.
func offsetOf(s string) (minutes int, ok bool) {
	n := digits(strings.Replace(s[1:], ":", "", 1))
	if n >= 0 && len(s) <= len("+03") {
		n *= 100
	}
	minutes = n/100*60 + n%100
	if n < 0 || n%100 > 59 || minutes > 14*60 {
		return 0, false
	}
	if s[0] == '-' {
		minutes = -minutes
	}
	return minutes, true
}

func (d *looseDate) time() (time.Time, bool) {
	if !d.clock || d.year <= 0 || d.month < 1 || d.month > 12 || d.day < 1 {
		return time.Time{}, false
	}
	if time.Date(d.year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC).Day() != d.day {
		return time.Time{}, false // the 31st of February
	}
	zone := time.FixedZone("", 60*d.offset)
	return time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, zone), true
}

// monthOf reads an English month, in full or by its first three letters. 0: none.
func monthOf(w string) int {
	for m := time.January; m <= time.December; m++ {
		if strings.EqualFold(w, m.String()) || strings.EqualFold(w, m.String()[:3]) {
			return int(m)
		}
	}
	return 0
}

// yearOf reads a year of four digits, or of two by RFC 5322 section 4.3. -1: none.
func yearOf(w string) int {
	n := digits(w)
	switch {
	case len(w) == 4:
		return n
	case len(w) == 2 && n >= 50:
		return 1900 + n
	case len(w) == 2 && n >= 0:
		return 2000 + n
	}
	return -1
}

// digits reads up to four decimal digits. -1: none.
func digits(w string) int {
	if n, err := strconv.ParseUint(w, 10, 32); err == nil && len(w) <= 4 {
		return int(n)
	}
	return -1
}
