package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Redact replaces an address by one that does not name a person and is the same each
// time (RFC 6590 section 2): 64 hexadecimal digits of HMAC-SHA-256 under the key, "@"
// and the domain in lower case. The digits are of the whole address in lower case: a
// local part at two domains has two values. An address without a domain gives the
// digits alone.
//
// The key is a secret of any length: who has it can try addresses. A redacted report
// must not name the person elsewhere, neither in the original nor in the text.
func Redact(key []byte, addr string) string {
	addr = strings.ToLower(addr)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(addr))
	digits := hex.EncodeToString(mac.Sum(nil))
	if at := strings.LastIndexByte(addr, '@'); at >= 0 {
		return digits + addr[at:]
	}
	return digits
}
