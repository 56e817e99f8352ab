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
				err := rows.Scan(&p.first, &p.data)
				packs = append(packs, p)
				return err
			}, "SELECT mail, pack FROM head WHERE mail > ? ORDER BY mail LIMIT ?", last, keptPacks)
			if err == nil && len(packs) == 0 {
				return
			}
			for _, p := range packs {
				last = p.first
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

// keptPack is the heads of messages one after the other.
type keptPack struct {
	first int64
	data  []byte
}

// unpack yields those messages of a pack that are asked for.
func (r *reader) unpack(ctx context.Context, p keptPack, low int64, kinds []string, yield func(ledger.KeptMessage, error) bool) error {
	heads, err := unpack(p.data)
	if err != nil {
		return err
	}
	var messages []ledger.KeptMessage
	err = r.each(ctx, func(rows *sql.Rows) error {
		var k ledger.KeptMessage
		var n, at int64
		err := rows.Scan(&n, (*storedID)(&k.ReportID), &k.FolderID, &k.Folder.Account, &k.Folder.Name, (*bits)(&k.UIDValidity), &k.UID, &k.Kind, &at, &k.Size, &k.Made)
		if err != nil {
			return err
		}
		k.At, k.Head = ledger.FromMilli(at), heads[n-p.first]
		if len(k.Head) > 0 && (len(kinds) == 0 || slices.Contains(kinds, k.Kind)) {
			messages = append(messages, k)
		}
		return nil
	}, `SELECT n, report_id, folder.id, account, name, mail.uidvalidity, uid, kind, at, size, records
		FROM mail JOIN folder ON folder.id = mail.folder WHERE n >= ? AND n < ? AND at >= ? ORDER BY n`, p.first, p.first+int64(len(heads)), low)
	if err != nil {
		return err
	}
	for _, k := range messages {
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
		err := rows.Scan(&p.UID, (*storedID)(&p.ReportID), (*bits)(&p.Origin))
		places = append(places, p)
		return err
	}, "SELECT uid, report_id, origin FROM mail WHERE folder = ? AND uidvalidity = ? AND uid >= ? ORDER BY uid, report_id LIMIT ?",
		folderID, int64(uidValidity), from, limit)
	return places, err
}
