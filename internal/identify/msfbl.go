package identify

import (
	"strings"
)

// msfbl reads the X-MSFBL of Momentum and SparkPost (support.sparkpost.com,
// momentum/4/modules/fbl): a digest, "|" and base64 of a JSON object in which r
// is the recipient and customer_id the customer, of what tenant_id names: the
// installation; of old, base64 of recipient@binding@group@string.
func msfbl(v string) (f found) {
	digest, data, split := strings.Cut(withoutBlanks(v), "|")
	if !split {
		digest, data = "", digest
	} else if _, err := unbase64(digest); err != nil || digest == "" {
		return f
	}
	b, err := unbase64(data)
	if err != nil {
		return f
	}
	if o, ok := object(b); ok {
		if o["customer_id"] != "" {
			delete(o, "tenant_id")
		}
		for key, v := range o {
			if i := label(key); i >= 0 && !f.set(i, v) {
				return found{}
			}
		}
		if isAddress(o["r"]) {
			f[subscriber] = o["r"]
		}
		return f
	}
	if p := strings.Split(string(b), "@"); !split && len(p) >= 4 && isAddress(p[0]+"@"+p[1]) {
		f[subscriber] = p[0] + "@" + p[1]
	}
	return f
}
