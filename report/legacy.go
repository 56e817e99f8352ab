package report

import (
	"slices"
	"strings"
)

// Versions before codes wrote only the reasons of a verdict. This file alone decides by
// the text of a reason, and only for records without codes.

// texts are the reasons of those versions, word for word.
var texts = map[Code]string{
	CodeHashOnly:  "complainant known by a hash only",
	CodeNobody:    "complainant not known",
	CodeOverBrake: "over the brake",
}

// hadText reports whether a verdict without codes has the reason of the code.
func (s *Suppress) hadText(code Code) bool {
	if code == CodeNamed {
		return strings.HasSuffix(strings.Join(s.Reasons, ""), "named, by a trusted reporter")
	}
	text, known := texts[code]
	return known && slices.Contains(s.Reasons, text)
}
