package imapclient

// asked is what the running FETCHes wait for. tap.mu guards it.
type asked struct {
	uids map[uint32]bool // true: not answered yet; false: answered
	from uint32          // not 0: this UID and all above are asked for

	// The other items of these messages. They stay if no body comes: then the
	// message exists.
	beside map[uint32]fetchLine
	// A body came without a UID: it is not known which message it is.
	nameless bool
}

func (a *asked) due(uid uint32) bool {
	due, told := a.uids[uid]
	return due || !told && a.from != 0 && uid >= a.from
}

// note keeps a line. Its message may have several.
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
