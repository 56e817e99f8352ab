package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// packs reads the ids and JSON of records, fastest in the order of their keys.
type packs struct {
	find  *sql.Stmt
	first int64
	data  sql.RawBytes
	unpacked
}

func newPacks(ctx context.Context, on queryer) (packs, error) {
	find, err := on.PrepareContext(ctx, packOf)
	return packs{find: find}, err
}

func (p *packs) close() {
	if p.find != nil {
		p.find.Close()
	}
}

const packOf = "SELECT key, pack FROM pack WHERE key <= ? ORDER BY key DESC LIMIT 1"

func (p *packs) read(ctx context.Context, row *ledger.Row) error {
	k := key(row.FolderID, row.Seq)
	if k < p.first || k >= p.first+int64(len(p.pieces)/2) {
		if err := p.load(ctx, k); err != nil {
			return err
		}
	}
	i := 2 * (k - p.first)
	if i+1 >= int64(len(p.pieces)) {
		return errPack
	}
	row.ID, row.JSON = string(p.pieces[i]), bytes.Clone(p.pieces[i+1])
	return nil
}

// load unpacks the pack that has a key.
func (p *packs) load(ctx context.Context, key int64) error {
	rows, err := p.find.QueryContext(ctx, key)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return cmp.Or(rows.Err(), errPack)
	}
	if err := rows.Scan(&p.first, &p.data); err != nil {
		return err
	}
	return p.unpacked.read(p.data)
}
