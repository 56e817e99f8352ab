package identify

import (
	"strings"
)

// sesMessage knows the id that SES gives a message: the local part of its
// Message-ID and of its Return-Path, under amazonses.com or the sender's own
// MAIL FROM domain (docs.aws.amazon.com/ses).
func sesMessage(v string) (f found) {
	local, _, ok := strings.Cut(bare(v), "@")
	// 16 hex, a UUID, 6 digits
	if ok && len(local) == 60 && local[16] == '-' && local[53] == '-' &&
		each(local[:16], hexDigit) && isUUID(local[17:53]) && each(local[54:], digit) {
		f[messageID] = local
	}
	return f
}

// sesTags reads X-SES-Message-Tags: name=value, by comma. The field is in a message
// that SES did not send in the end: SES removes it.
func sesTags(v string) (f found) {
	for tag := range strings.SplitSeq(v, ",") {
		name, v, ok := strings.Cut(strings.TrimSpace(tag), "=")
		if !ok {
			return found{}
		}
		if i := label(name); i >= 0 && !f.set(i, v) {
			return found{}
		}
	}
	return f
}
