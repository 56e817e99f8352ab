package callbacks

import "slices"

// Join returns a Handler that passes every event to each of handlers, in this order,
// one after the other. A nil Handler is left out. If one blocks, the others wait. A
// panic of one keeps the event from the rest.
func Join(handlers ...Handler) Handler {
	var all join
	for _, h := range handlers {
		if h != nil {
			all = append(all, h)
		}
	}
	return all
}

type join []Handler

func (j join) nop() {}

func (j join) Exists(m Mailbox, n uint32) {
	for _, h := range j {
		h.Exists(m, n)
	}
}

func (j join) Expunged(m Mailbox, seq, uid uint32) {
	for _, h := range j {
		h.Expunged(m, seq, uid)
	}
}

// Flags gives each Handler its own slice, because it may keep it.
func (j join) Flags(m Mailbox, seq, uid uint32, flags []string) {
	for _, h := range j {
		h.Flags(m, seq, uid, slices.Clone(flags))
	}
}

func (j join) Searched(m Mailbox, uid uint32) {
	for _, h := range j {
		h.Searched(m, uid)
	}
}

func (j join) List(mailbox string, delim rune, attrs []string) {
	for _, h := range j {
		h.List(mailbox, delim, slices.Clone(attrs))
	}
}

func (j join) LSub(mailbox string, delim rune, attrs []string) {
	for _, h := range j {
		h.LSub(mailbox, delim, slices.Clone(attrs))
	}
}

func (j join) Status(m Mailbox, status Status) {
	for _, h := range j {
		h.Status(m, status)
	}
}

func (j join) Notify(m Mailbox, level Level, code, text string) {
	for _, h := range j {
		h.Notify(m, level, code, text)
	}
}

func (j join) Log(level Level, text string) {
	for _, h := range j {
		h.Log(level, text)
	}
}

func (j join) Debug(line string) {
	for _, h := range j {
		h.Debug(line)
	}
}

func (j join) Critical(m Mailbox) {
	for _, h := range j {
		h.Critical(m)
	}
}

func (j join) NoCritical(m Mailbox) {
	for _, h := range j {
		h.NoCritical(m)
	}
}
