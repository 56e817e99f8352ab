package identify

// kumoRef reads KumoMTA's supplemental trace header (docs.kumomta.com,
// reference/kumo/start_esmtp_listener/trace_headers): base64 of a JSON object
// with a marker, the recipient, and the metadata that the sender chose. Its
// field can have any name: a rule with decode reads it there.
func kumoRef(v string) (f found) {
	b, err := unbase64(withoutBlanks(v))
	if err != nil {
		return f
	}
	o, ok := object(b)
	if !ok || o["_@_"] != `\_/` {
		return f
	}
	for key, v := range o {
		if i := label(key); i >= 0 && !f.set(i, v) {
			return found{}
		}
	}
	if f[subscriber] == "" && isAddress(o["recipient"]) {
		f[subscriber] = o["recipient"]
	}
	return f
}
