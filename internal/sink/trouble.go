package sink

import (
	"errors"
	"maps"
	"time"
)

// logAgain is how often the log repeats an error that stays the same.
const logAgain = time.Hour

// Trouble is why a sink fails. The zero value means that it works.
type Trouble struct {
	Record string    // id of the first record that the sink does not take; empty: no record is the cause
	Waits  time.Time // when the first try to write that record failed
	Since  time.Time // since when every try failed
	Err    string    // of the last try
	Tries  int       // of that record that failed, also in earlier runs; 0: no record is the cause
}

// Trouble returns why the sink fails at present.
func (p *Pump) Trouble() Trouble {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trouble
}

// Recall gives the Pump the trouble and the counts of an earlier run. If the first try
// fails by the same record, its times go on. Call Recall before Run.
func (p *Pump) Recall(t Trouble, counts map[string]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recall = t
	maps.Copy(p.counts, counts)
}

// note keeps the result of the last try. It logs an error that differs from the one
// before, and repeats it once an hour.
func (p *Pump) note(err error) {
	p.mu.Lock()
	before, now := p.trouble, time.Now()
	p.trouble = Trouble{}
	if err != nil {
		p.trouble = p.troubleOf(err, before, now)
	}
	is := p.trouble
	p.mu.Unlock()
	switch {
	case IsPermanent(err):
		p.log.Error("sink ended", "err", err)
	case err == nil && before.Err != "":
		p.log.Info("sink works again")
	case err == nil, is.Err == before.Err && now.Sub(p.logged) < logAgain:
		return
	case is.Record == "":
		p.log.Warn("sink fails; its records wait in the ledger", "since", is.Since.UTC(), "err", err)
	default:
		p.log.Warn("sink fails; its records wait in the ledger", "record", is.Record, "since", is.Waits.UTC(), "err", err)
	}
	p.logged = now
}

// troubleOf returns the trouble of a try that failed with err; before is that of the
// try before. The caller holds mu.
func (p *Pump) troubleOf(err error, before Trouble, now time.Time) Trouble {
	is := Trouble{Waits: now, Since: now, Err: err.Error()}
	if b := (*blocked)(nil); errors.As(err, &b) {
		is.Record = b.id
		if w := p.waiting[b.folder]; w.Seq == b.seq {
			is.Tries, is.Waits = w.Tries, w.Since
		}
	}
	if before.Err == "" && p.recall.Err != "" && p.recall.Record == is.Record {
		before = p.recall
	}
	p.recall = Trouble{}
	if before.Err == "" {
		return is
	}
	is.Since = before.Since
	if before.Record == is.Record {
		is.Waits = before.Waits
	}
	return is
}
