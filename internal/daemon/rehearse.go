package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/sink"
)

// rehearsals say in a dry run what the sinks that act would do.
type rehearsals struct {
	all    []*sink.Rehearsal
	reader ledger.Reader // of the ledger that is not written; nil: there is none
	hear   func(sink, record, says string)
}

// rehearse makes the rehearsals of the config's sinks.
func rehearse(ctx context.Context, sinks sink.List, path string, hear func(sink, record, says string)) (*rehearsals, error) {
	r := &rehearsals{hear: hear}
	reader, err := backend.OpenReader(ctx, path)
	var acts ledger.ActReader = noActs{}
	if err == nil {
		r.reader, acts = reader, reader
	} else if !errors.Is(err, ledger.ErrNone) {
		return nil, err
	}
	for _, c := range sinks {
		if !c.Acts() {
			continue
		}
		one, err := sink.Rehearse(c, acts)
		if err != nil {
			r.close()
			return nil, &settings.Error{Err: err}
		}
		r.all = append(r.all, one)
	}
	return r, nil
}

// noActs is what a ledger that does not exist says.
type noActs struct{}

func (noActs) Acted(context.Context, string, ledger.ActKey) (time.Time, error) {
	return time.Time{}, nil
}

// committed is for watch.Observer.Committed.
func (r *rehearsals) committed(ctx context.Context, done ledger.Committed) {
	for _, row := range done.Rows {
		for _, one := range r.all {
			says, err := one.Says(ctx, row)
			if err != nil {
				says = "unknown: " + err.Error()
			}
			r.hear(one.Name(), row.ID, says)
		}
	}
}

func (r *rehearsals) close() {
	if r.reader != nil {
		r.reader.Close()
	}
}
