package watch

import (
	"context"
	"slices"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// placesAtOnce is how many of the ledger's places are held to compare with.
const placesAtOnce = 50_000

// mayBeRead is the highest UID that may have been read before under this UIDVALIDITY;
// 0: none was. had is how far the folder was read, cp where it is read from now.
func mayBeRead(had, cp ledger.Checkpoint, sel imapclient.Selected) uint32 {
	switch {
	case had.UIDValidity == 0:
		return 0
	case had.UIDValidity != sel.UIDValidity: // the folder may have had this one earlier
		return max(sel.UIDNext, 1) - 1
	case cp.High < had.High:
		return max(had.High, had.Again)
	}
	return had.Again
}

// recorded is what the ledger has of a folder that is read again.
type recorded struct {
	places   map[uint32][]ledger.Place
	low, top uint32 // places holds all of these UIDs
}

// readBefore returns the report id under which a message was recorded when its UID
// was read before; empty: it was not. Some servers write a message anew at each
// FETCH, so that it gets another id each time: at a known UID it is the same message
// if its outer From, Date and Message-ID are equal.
func (p *pipeline) readBefore(ctx context.Context, uid uint32, id string, origin uint64) (reportID string, err error) {
	if uid > p.rereadTo || origin == 0 {
		return "", nil
	}
	if b := &p.recorded; b.places == nil || uid < b.low || uid > b.top {
		places, err := p.f.a.Ledger.Places(ctx, p.claim.ID, p.claim.Checkpoint.UIDValidity, uid, placesAtOnce)
		if err != nil {
			return "", err
		}
		*b = recorded{places: make(map[uint32][]ledger.Place, len(places)), low: uid, top: ^uint32(0)}
		if len(places) == placesAtOnce {
			b.top = places[len(places)-1].UID - 1 // of the last one there may be more
		}
		for _, place := range places {
			b.places[place.UID] = append(b.places[place.UID], place)
		}
	}
	here := p.recorded.places[uid]
	if slices.ContainsFunc(here, func(place ledger.Place) bool { return place.ReportID == id }) {
		return "", nil // recorded under the same id
	}
	for _, place := range here {
		if place.Origin == 0 { // written by an older version
			head, err := p.f.a.Ledger.Head(ctx, place.ReportID)
			if err != nil {
				return "", err
			}
			if len(head) > 0 {
				place.Origin = report.ParsePrefix(head, int64(len(head))+1).Origin()
			}
		}
		if place.Origin == origin {
			return place.ReportID, nil
		}
	}
	return "", nil
}
