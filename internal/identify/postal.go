package identify

// postalMessage reads X-Postal-MsgID (github.com/postalserver/postal): the
// token of the message.
func postalMessage(v string) (f found) {
	if len(v) >= 8 && len(v) <= 64 && each(v, alnum) {
		f[messageID] = v
	}
	return f
}
