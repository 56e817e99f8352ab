package sqlite

import (
	"context"
	"database/sql"
	"iter"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// keptPacks is how many packs of heads, of about 20 KiB each, a page of KeptMessages
// has.
const keptPacks = 32

func (r *reader) KeptMessages(ctx context.Context, since time.Time, kinds ...string) iter.Seq2[ledger.KeptMessage, error] {
	return func(yield func(ledger.KeptMessage, error) bool) {
		low, _ := ledger.Span(since, time.Time{})
		for last := int64(0); ; {
			var packs []keptPack
			err := r.each(ctx, func(rows *sql.Rows) error {
				var p keptPack
				err := rows.Scan(&p.id, &p.data)
				packs = append(packs, p)
				return err
			}, "SELECT id, pack FROM head WHERE id > ? ORDER BY id LIMIT ?", last, keptPacks)
			if err == nil && len(packs) == 0 {
				return
			}
			for _, p := range packs {
				last = p.id
				if err == nil {
					err = r.unpack(ctx, p, low, kinds, yield)
				}
			}
			if err == errEnough {
				return
			}
			if err != nil {
				yield(ledger.KeptMessage{}, err)
				return
			}
		}
	}
}

type keptPack struct {
	id   int64
	data []byte
}

// unpack yields those messages of a pack that are asked for.
func (r *reader) unpack(ctx context.Context, p keptPack, low int64, kinds []string, yield func(ledger.KeptMessage, error) bool) error {
	var messages []ledger.KeptMessage
	var pieces []int
	err := r.each(ctx, func(rows *sql.Rows) error {
		var k ledger.KeptMessage
		var at int64
		var piece int
		err := rows.Scan(&k.ReportID, &k.FolderID, &k.Folder.Account, &k.Folder.Name, (*bits)(&k.UIDValidity), &k.UID, &k.Kind, &at, &k.Size, &k.Made, &piece)
		if k.At = ledger.FromMilli(at); err == nil && (len(kinds) == 0 || slices.Contains(kinds, k.Kind)) {
			messages, pieces = append(messages, k), append(pieces, piece)
		}
		return err
	}, `SELECT report_id, folder.id, account, name, mail.uidvalidity, uid, kind, at, size, records, piece
		FROM mail JOIN folder ON folder.id = mail.folder WHERE head = ? AND at >= ? ORDER BY piece`, p.id, low)
	if err != nil || len(messages) == 0 {
		return err
	}
	heads, err := unpackHeads(p.data)
	if err != nil {
		return err
	}
	for i, k := range messages {
		if pieces[i] >= len(heads) {
			return errPack
		}
		k.Head = heads[pieces[i]]
		if !yield(k, nil) {
			return errEnough
		}
	}
	return nil
}

func (r *reader) Places(ctx context.Context, folderID int64, uidValidity uint64, from uint32, limit int) ([]ledger.Place, error) {
	var places []ledger.Place
	err := r.each(ctx, func(rows *sql.Rows) error {
		var p ledger.Place
		err := rows.Scan(&p.UID, &p.ReportID, (*bits)(&p.Origin))
		places = append(places, p)
		return err
	}, "SELECT uid, report_id, origin FROM mail WHERE folder = ? AND uidvalidity = ? AND uid >= ? ORDER BY uid, report_id LIMIT ?",
		folderID, int64(uidValidity), from, limit)
	return places, err
}
