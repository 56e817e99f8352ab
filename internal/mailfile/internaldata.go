package mailfile

import "bytes"

// internalData reports whether the first message of an mbox is the one in which
// c-client keeps its own state. Nobody sent it, so it is skipped. All three fields
// must be exactly as c-client writes them.
func internalData(message []byte) bool {
	var from, subject, state bool
	for line := range bytes.Lines(message) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "From":
			from = bytes.HasPrefix(value, []byte("Mail System Internal Data <MAILER-DAEMON@"))
		case "Subject":
			subject = string(value) == "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"
		case "X-IMAP", "X-IMAPbase":
			state = true
		}
	}
	return from && subject && state
}
