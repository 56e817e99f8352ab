package watch

import "github.com/fblwatch/fblwatch/internal/ledger"

// Observer hears what the sessions of an account do. Each func may be nil. None may
// block: it delays the session. A watch calls each for several folders at once.
type Observer struct {
	// Committed hears what each commit wrote, in each folder in order of commit.
	Committed func(ledger.Committed)
	// Progress hears how far a folder is.
	Progress func(Progress)
	// State hears each change of a session's or a quota's state, as the ledger gets it.
	State func(ledger.Status)
}

// Progress is how far the reading of a folder is.
type Progress struct {
	Account string
	Folder  string
	Done    int // messages read since this session began to catch up
	Total   int // messages there were to read then
	Records int // records those made
	Caught  bool
}

// Join returns an Observer that hands each event to all observers in turn.
func Join(observers ...Observer) Observer {
	return Observer{
		Committed: join(observers, func(o Observer) func(ledger.Committed) { return o.Committed }),
		Progress:  join(observers, func(o Observer) func(Progress) { return o.Progress }),
		State:     join(observers, func(o Observer) func(ledger.Status) { return o.State }),
	}
}

func join[T any](observers []Observer, of func(Observer) func(T)) func(T) {
	var hear []func(T)
	for _, o := range observers {
		if f := of(o); f != nil {
			hear = append(hear, f)
		}
	}
	if len(hear) == 0 {
		return nil
	}
	return func(event T) {
		for _, f := range hear {
			f(event)
		}
	}
}
