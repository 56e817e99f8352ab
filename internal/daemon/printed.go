package daemon

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/sink"
)

// printed is the row of state that says which records are still to be printed: those
// that a printing command read, and those that an interrupted one before it left.
// Records that another command read, such as watch without --json, are never printed.
type printed struct {
	Printing bool `json:"printing"` // the last command that wrote the ledger prints
	Settled  bool `json:"settled"`  // the last printing command left nothing

	// From is the last Seq of each folder when a command that does not print began
	// while records were left. Skip is what such commands read.
	From map[int64]int64     `json:"from,omitempty"`
	Skip map[int64][]between `json:"skip,omitempty"`
}

// between are the Seqs above After, up to Last.
type between struct {
	After int64 `json:"after"`
	Last  int64 `json:"last"`
}

const printedState = "printed"

// beginPrinted notes that a command begins to write the ledger, and whether it prints.
func beginPrinted(ctx context.Context, l ledger.Ledger, printing bool) (*printed, error) {
	was, known, err := readPrinted(ctx, l)
	if err != nil {
		return nil, err
	}
	folders, err := l.Folders(ctx)
	if err != nil {
		return nil, err
	}
	p := &printed{Printing: printing, Skip: was.Skip}
	switch {
	case !known:
		p.Settled = true // the first printing command begins at the head
	case was.Printing:
		p.Settled = was.Settled
	case was.Settled && printing:
		if err := ackPrinted(ctx, l, folders); err != nil {
			return nil, err
		}
	case was.Settled:
		p.Settled = true
	default:
		p.skip(was.From, folders)
	}
	if printing {
		p.Settled = false // until it has ended
	} else if !p.Settled {
		p.From = make(map[int64]int64)
		for _, f := range folders {
			p.From[f.ID] = f.Last
		}
	}
	return p, p.write(ctx, l)
}

// ackPrinted leaves nothing of the folders to print.
func ackPrinted(ctx context.Context, l ledger.Ledger, folders []ledger.Claim) error {
	replays, err := l.Replays(ctx, sink.StdoutName)
	for _, f := range folders {
		if err == nil {
			err = l.Ack(ctx, sink.StdoutName, replays, f.ID, f.Last)
		}
	}
	return err
}

func readPrinted(ctx context.Context, l ledger.Reader) (p printed, known bool, err error) {
	states, err := l.States(ctx)
	for _, s := range states {
		if s.Name == printedState {
			known = json.Unmarshal(s.Data, &p) == nil
		}
	}
	return p, known, err
}

func (p *printed) write(ctx context.Context, l ledger.Ledger) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return l.SetStates(ctx, ledger.Status{Name: printedState, Data: b})
}

// skip leaves out the records that the folders got after from.
func (p *printed) skip(from map[int64]int64, folders []ledger.Claim) {
	if p.Skip == nil {
		p.Skip = make(map[int64][]between)
	}
	for _, f := range folders {
		after, skip := from[f.ID], p.Skip[f.ID]
		switch last := len(skip) - 1; {
		case f.Last <= after:
		case last >= 0 && skip[last].Last == after: // a watch that is started again and again makes no long row
			skip[last].Last = f.Last
		default:
			p.Skip[f.ID] = append(skip, between{after, f.Last})
		}
	}
}

func (p *printed) skips(folder, seq int64) bool {
	for _, b := range p.Skip[folder] {
		if seq > b.After && seq <= b.Last {
			return true
		}
	}
	return false
}

// settle ends a command that prints: if it leaves nothing, the next one begins after
// the records that the ledger has now. No record may be committed meanwhile.
func (p *printed) settle(ctx context.Context, l ledger.Ledger) error {
	if !p.Printing {
		return nil
	}
	for row, err := range l.Unsent(ctx, sink.StdoutName) {
		if err != nil {
			return err
		}
		if !p.skips(row.FolderID, row.Seq) {
			return nil // the next printing command prints it
		}
	}
	folders, err := l.Folders(ctx)
	if err != nil {
		return err
	}
	if err := ackPrinted(ctx, l, folders); err != nil {
		return err
	}
	p.Settled, p.Skip = true, nil
	return p.write(ctx, l)
}

// owed is a ledger as standard output sees it.
type owed struct {
	sink.Outbox
	printed *printed
}

func (o owed) Unsent(ctx context.Context, name string, without ...int64) iter.Seq2[ledger.Row, error] {
	return func(yield func(ledger.Row, error) bool) {
		for row, err := range o.Outbox.Unsent(ctx, name, without...) {
			if err == nil && o.printed.skips(row.FolderID, row.Seq) {
				continue
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
