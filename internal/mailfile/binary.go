package mailfile

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
)

// binary returns the kind of a file that is neither text nor begins with a header
// field. Empty: the file is text, or a message.
func binary(head []byte) string {
	kind := http.DetectContentType(head)
	if strings.HasPrefix(kind, "text/") || fieldForm.Match(bytes.TrimLeft(head, "\r\n")) {
		return ""
	}
	for _, a := range archives {
		if len(head) > a.at && bytes.HasPrefix(head[a.at:], []byte(a.magic)) {
			return a.name
		}
	}
	if kind == "application/octet-stream" {
		return "binary data"
	}
	return kind
}

// archives are files in which messages are often packed.
var archives = []struct {
	name, magic string
	at          int
}{
	{"a tar archive", "ustar", 257}, // POSIX, and GNU's
	{"a zip archive", "PK\x03\x04", 0},
	{"an empty zip archive", "PK\x05\x06", 0},
	{"a 7z archive", "7z\xbc\xaf\x27\x1c", 0},
	{"a rar archive", "Rar!\x1a\x07", 0},
	{"bzip2 data", "BZh", 0},
	{"xz data", "\xfd7zXZ\x00", 0},
	{"zstd data", "\x28\xb5\x2f\xfd", 0},
	{"gzip data within gzip", "\x1f\x8b", 0},
	{"an Outlook data file", "!BDN", 0},
	{"an Outlook message", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0},
}

// fieldForm is the beginning of a header field (RFC 5322 section 2.2).
var fieldForm = regexp.MustCompile(`^[!-9;-~]+[ \t]*:`)
