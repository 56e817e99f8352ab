package imapclient

// asked is what FETCHes wait for. It is guarded by tap.mu.
type asked struct {
	uids map[uint32]bool // true: asked for and not answered; false: answered
	from uint32          // not 0: this UID and all above are asked for

	// What is known of these messages beside their bodies. It stays where no body
	// comes: such a message exists.
	beside map[uint32]fetchLine
	// A body came without a UID: which message has been answered is not known.
	nameless bool
}

func (a *asked) due(uid uint32) bool {
	due, told := a.uids[uid]
	return due || !told && a.from != 0 && uid >= a.from
}

// note remembers a line, which may be one of several for its message.
func (a *asked) note(f fetchLine) {
	if had, ok := a.beside[f.uid]; ok {
		if f.date.IsZero() {
			f.date = had.date
		}
		if f.size < 0 {
			f.size = had.size
		}
	}
	f.body, f.flags = nil, nil
	a.beside[f.uid] = f
}
