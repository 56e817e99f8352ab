package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Redact replaces an address by one that says nothing about a person and is
// the same each time (RFC 6590 section 2): HMAC-SHA-256 under the key, 64
// hexadecimal digits, at the address's domain in lower case. The whole address
// counts, in lower case, so that one person has one name, and a local part at
// two domains two. What has no domain gives the digits alone.
//
// The key is a secret: whoever has it can try addresses. A report must say
// nowhere else who it is: neither in the original nor in the text.
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
