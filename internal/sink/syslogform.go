package sink

import (
	"cmp"
	"strconv"
	"strings"
	"unicode"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// facilities and severities have the names that rsyslog and syslog-ng use, with the
// numbers of RFC 5424 section 6.2.1.
var (
	facilities = map[string]int{
		"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8, "cron": 9, "authpriv": 10, "ftp": 11,
		"local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23,
	}
	severities = map[string]int{"emerg": 0, "alert": 1, "crit": 2, "err": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7}
)

// isSDID reports whether id is an SD-ID that is not IANA's (RFC 5424 section 6.3.2).
func isSDID(id string) bool {
	name, number, found := strings.Cut(id, "@")
	return found && name != "" && len(id) <= 32 && printable(name, 32) == name && !strings.ContainsAny(name, `="]`) &&
		number != "" && strings.Trim(number, "0123456789") == ""
}

// syslogForm writes items as messages of RFC 5424. An item gives the same message each
// time.
type syslogForm struct {
	priority   int
	host, sdID string
}

func (s SyslogConfig) form() syslogForm {
	return syslogForm{priority: facilities[cmp.Or(s.Facility, "local0")]*8 + severities[cmp.Or(s.Severity, "info")], sdID: s.SDID}
}

// append adds the item's message to b. The text has no byte order mark, since it is
// JSON: RFC 8259 section 8.1 forbids one.
func (f *syslogForm) append(b []byte, item *delivery.Item) []byte {
	b = strconv.AppendInt(append(b, '<'), int64(f.priority), 10)
	b = append(b, ">1 "...)
	if item.At.IsZero() {
		b = append(b, '-')
	} else {
		b = item.At.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z07:00")
	}
	const pid = "-" // a record that comes again is the same
	msgID := item.Event
	if item.Kind == delivery.KindAlarm {
		msgID = string(item.Kind)
	}
	for _, field := range [...]string{printable(f.host, 255), "fblwatch", pid, printable(msgID, 32)} {
		b = append(append(b, ' '), cmp.Or(field, "-")...)
	}
	b = append(b, ' ')
	if f.sdID == "" {
		b = append(b, '-')
	} else {
		b = f.appendElement(b, item)
	}
	return append(append(b, ' '), item.JSON...)
}

// appendElement adds the columns that are known (RFC 5424 section 6.3).
func (f *syslogForm) appendElement(b []byte, item *delivery.Item) []byte {
	b = append(append(b, '['), f.sdID...)
	for _, param := range [...]struct{ name, value string }{
		{"key", item.Key()}, {"id", item.ID}, {"revision", strconv.Itoa(item.Revision)}, {"event", item.Event}, {"class", item.Class},
		{"provider", item.Provider}, {"feed", item.Feed}, {"verdict", item.Verdict}, {"account", item.Folder.Account},
	} {
		if param.value == "" {
			continue
		}
		b = append(append(append(b, ' '), param.name...), `="`...)
		for _, r := range param.value { // what is no UTF-8 becomes U+FFFD
			switch {
			case unicode.IsControl(r):
				r = ' '
			case r == '"' || r == '\\' || r == ']':
				b = append(b, '\\')
			}
			b = append(b, string(r)...)
		}
		b = append(b, '"')
	}
	return append(b, ']')
}

// printable is the start of text with nothing but PRINTUSASCII (RFC 5424 section 6), at
// most most octets.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r < 33 || r > 126 {
			return -1
		}
		return r
	}, text)
	return text[:min(len(text), most)]
}
