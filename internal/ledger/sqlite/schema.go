package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// applicationID marks the file as a ledger ("FBLW"), see PRAGMA application_id.
const applicationID = 0x46424c57

// seqBits is the number of bits of a record's key that are its seq; those above are the
// folder. One integer key keeps a folder's records together and in order, and
// every index ends in it, so that a page by provider or event needs no sort.
const seqBits = 40

func key(folder, seq int64) int64 { return folder<<seqBits | seq }

// migrations bring a ledger from schema i to i+1 (PRAGMA user_version). A released one is never edited.
//
// Times are milliseconds since 1970, UTC.
var migrations = []migration{{script: `
CREATE TABLE folder (
	id          INTEGER PRIMARY KEY,
	account     TEXT NOT NULL,
	name        TEXT NOT NULL,
	token       TEXT,
	next_seq    INTEGER NOT NULL DEFAULT 1,
	committed   INTEGER NOT NULL DEFAULT 0,
	uidvalidity INTEGER NOT NULL DEFAULT 0,
	high        INTEGER NOT NULL DEFAULT 0,
	pending     TEXT NOT NULL DEFAULT '',
	UNIQUE (account, name)
) STRICT;

CREATE TABLE mail (
	report_id   TEXT PRIMARY KEY,
	folder      INTEGER NOT NULL,
	uidvalidity INTEGER NOT NULL,
	uid         INTEGER NOT NULL,
	kind        TEXT NOT NULL,
	at          INTEGER NOT NULL,
	seq         INTEGER NOT NULL, -- of its first record
	records     INTEGER NOT NULL,
	head        INTEGER,          -- a pack, which may be pruned
	piece       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE head (
	id   INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice
	at   INTEGER NOT NULL,                  -- of the commit
	pack BLOB NOT NULL
) STRICT;
CREATE INDEX head_at ON head (at);

CREATE TABLE record (
	key        INTEGER PRIMARY KEY,
	folder     INTEGER NOT NULL AS (key >> 40),
	seq        INTEGER NOT NULL AS (key & 1099511627775),
	id         TEXT NOT NULL,
	revision   INTEGER NOT NULL,
	at         INTEGER NOT NULL,
	event      TEXT NOT NULL,
	class      TEXT NOT NULL,
	provider   TEXT NOT NULL,
	source_ip  TEXT NOT NULL,
	domain     TEXT NOT NULL,
	campaign   TEXT NOT NULL,
	subscriber TEXT NOT NULL,
	verdict    TEXT NOT NULL,
	json       TEXT NOT NULL
) STRICT;
CREATE INDEX record_at ON record (at);
CREATE INDEX record_provider ON record (provider);
CREATE INDEX record_event ON record (event);

CREATE TABLE hourly (
	hour     INTEGER NOT NULL,
	event    TEXT NOT NULL,
	class    TEXT NOT NULL,
	provider TEXT NOT NULL,
	verdict  TEXT NOT NULL,
	n        INTEGER NOT NULL,
	PRIMARY KEY (hour, event, class, provider, verdict)
) STRICT, WITHOUT ROWID;

CREATE TABLE mail_count (
	folder INTEGER NOT NULL,
	kind   TEXT NOT NULL,
	n      INTEGER NOT NULL,
	PRIMARY KEY (folder, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE todo (
	id          INTEGER PRIMARY KEY AUTOINCREMENT,
	folder      INTEGER NOT NULL,
	uidvalidity INTEGER NOT NULL,
	uid         INTEGER NOT NULL,
	action      TEXT NOT NULL,
	UNIQUE (folder, uidvalidity, uid, action)
) STRICT;

CREATE TABLE sink (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE cursor (
	sink   TEXT NOT NULL,
	folder INTEGER NOT NULL,
	seq    INTEGER NOT NULL, -- the last one acknowledged
	PRIMARY KEY (sink, folder)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (
	name  TEXT PRIMARY KEY,
	value TEXT NOT NULL,
	at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE request (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL,
	args TEXT NOT NULL, -- JSON
	at   INTEGER NOT NULL
) STRICT;
`}, {script: `
-- A record that was revised keeps its row. Its later revisions stand behind
-- what the folder had then, and revision finds them by their mail.
ALTER TABLE record ADD COLUMN feed TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN identity TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN replaced INTEGER NOT NULL DEFAULT 0;
CREATE TABLE revision (
	report_id TEXT NOT NULL,
	key       INTEGER NOT NULL,
	PRIMARY KEY (report_id, key)
) STRICT, WITHOUT ROWID;

ALTER TABLE mail ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
CREATE INDEX mail_head ON mail (head) WHERE head IS NOT NULL;

ALTER TABLE folder ADD COLUMN contact INTEGER NOT NULL DEFAULT 0; -- 0: unknown
ALTER TABLE folder ADD COLUMN read INTEGER NOT NULL DEFAULT 0;    -- the last commit; 0: unknown
ALTER TABLE folder DROP COLUMN committed;

CREATE TABLE hourly_2 (
	hour     INTEGER NOT NULL,
	event    TEXT NOT NULL,
	class    TEXT NOT NULL,
	provider TEXT NOT NULL,
	feed     TEXT NOT NULL, -- this and the next: '' where it was not noted
	identity TEXT NOT NULL, -- of complaints and opt-outs
	verdict  TEXT NOT NULL,
	n        INTEGER NOT NULL,
	PRIMARY KEY (hour, event, class, provider, feed, identity, verdict)
) STRICT, WITHOUT ROWID;
INSERT INTO hourly_2 SELECT hour, event, class, provider, '', '', verdict, n FROM hourly;
DROP TABLE hourly;
ALTER TABLE hourly_2 RENAME TO hourly;

ALTER TABLE request ADD COLUMN answer TEXT; -- JSON; NULL: not yet
`}, {script: `
ALTER TABLE folder ADD COLUMN marks TEXT NOT NULL DEFAULT ''; -- JSON, of the checkpoint
`}, {script: `
ALTER TABLE mail ADD COLUMN origin INTEGER NOT NULL DEFAULT 0; -- 0: unknown
`}, {`
-- The table mail has its rows in the order of commit. Their ids, which are random, go
-- into mail_id later and many at once, see recentMost. What many records have in common is a label. Their JSON is in packs.
ALTER TABLE mail RENAME TO mail_4;
ALTER TABLE head RENAME TO head_4;
ALTER TABLE record RENAME TO record_4;
ALTER TABLE revision RENAME TO revision_4;
ALTER TABLE hourly RENAME TO hourly_4;
DROP INDEX head_at;
DROP INDEX record_at;
DROP INDEX record_provider;
DROP INDEX record_event;

CREATE TABLE label (
	id       INTEGER PRIMARY KEY,
	event    TEXT NOT NULL,
	class    TEXT NOT NULL,
	provider TEXT NOT NULL,
	feed     TEXT NOT NULL, -- this and the next: '' where it was not noted
	identity TEXT NOT NULL, -- of complaints and opt-outs
	verdict  TEXT NOT NULL,
	UNIQUE (event, class, provider, feed, identity, verdict)
) STRICT;

CREATE TABLE mail (
	n           INTEGER PRIMARY KEY, -- without gaps within a commit
	report_id   ANY NOT NULL,        -- 16 octets, or text if it is not 32 digits
	folder      INTEGER NOT NULL,
	uidvalidity INTEGER NOT NULL,
	uid         INTEGER NOT NULL,
	kind        TEXT NOT NULL,
	at          INTEGER NOT NULL,
	seq         INTEGER NOT NULL, -- of its first record
	records     INTEGER NOT NULL,
	size        INTEGER NOT NULL,
	origin      INTEGER NOT NULL  -- 0: unknown
) STRICT;

CREATE TABLE mail_id (
	hash INTEGER NOT NULL, -- see hashOf
	n    INTEGER NOT NULL,
	PRIMARY KEY (hash, n)
) STRICT, WITHOUT ROWID;
CREATE TABLE indexed (n INTEGER NOT NULL) STRICT; -- the last message whose id is in mail_id, as those of all before it

CREATE TABLE head (
	mail INTEGER PRIMARY KEY, -- n of its first message; the others follow
	at   INTEGER NOT NULL,    -- of the commit
	pack BLOB NOT NULL        -- a piece a message; an empty one was not kept
) STRICT;
CREATE INDEX head_at ON head (at);

CREATE TABLE record (
	key        INTEGER PRIMARY KEY,
	label      INTEGER NOT NULL,
	revision   INTEGER NOT NULL,
	at         INTEGER NOT NULL,
	source_ip  TEXT NOT NULL,
	domain     TEXT NOT NULL,
	campaign   TEXT NOT NULL,
	subscriber TEXT NOT NULL,
	replaced   INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE pack (
	key  INTEGER PRIMARY KEY, -- of its first record; the others follow
	pack BLOB NOT NULL        -- two pieces a record: id and JSON
) STRICT;

CREATE TABLE revision (
	mail INTEGER NOT NULL,
	key  INTEGER NOT NULL,
	PRIMARY KEY (mail, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE hourly (
	hour  INTEGER NOT NULL,
	label INTEGER NOT NULL,
	n     INTEGER NOT NULL,
	PRIMARY KEY (hour, label)
) STRICT, WITHOUT ROWID;

INSERT INTO label (event, class, provider, feed, identity, verdict)
	SELECT event, class, provider, feed, identity, verdict FROM record_4
	UNION SELECT event, class, provider, feed, identity, verdict FROM hourly_4;
INSERT INTO hourly SELECT hour, label.id, n FROM hourly_4 JOIN label USING (event, class, provider, feed, identity, verdict);
INSERT INTO record SELECT key, label.id, revision, at, source_ip, domain, campaign, subscriber, replaced
	FROM record_4 CROSS JOIN label USING (event, class, provider, feed, identity, verdict) ORDER BY key;
-- Messages whose heads are kept come last, a pack after the other.
INSERT INTO mail (report_id, folder, uidvalidity, uid, kind, at, seq, records, size, origin)
	SELECT iif(length(report_id) = 32 AND report_id NOT GLOB '*[^0-9a-f]*', unhex(report_id), report_id),
		folder, uidvalidity, uid, kind, mail_4.at, seq, records, size, origin
	FROM mail_4 LEFT JOIN head_4 ON head_4.id = mail_4.head ORDER BY head_4.id, piece, folder, seq;
INSERT INTO mail_id SELECT fblwatch_hash(report_id), n FROM mail ORDER BY 1, 2;
INSERT INTO indexed SELECT coalesce(max(n), 0) FROM mail;
INSERT INTO revision SELECT mail.n, key
	FROM (SELECT key, iif(length(report_id) = 32 AND report_id NOT GLOB '*[^0-9a-f]*', unhex(report_id), report_id) AS id FROM revision_4)
	JOIN mail_id ON hash = fblwatch_hash(id) JOIN mail ON mail.n = mail_id.n AND mail.report_id = id;
`, repack, `
DROP TABLE mail_4;
DROP TABLE head_4;
DROP TABLE record_4;
DROP TABLE revision_4;
DROP TABLE hourly_4;
CREATE INDEX record_at ON record (at);
CREATE INDEX record_label ON record (label);
`}, {script: `
ALTER TABLE sink ADD COLUMN replays INTEGER NOT NULL DEFAULT 0; -- that set its cursors back
ALTER TABLE sink ADD COLUMN replay INTEGER NOT NULL DEFAULT 0;  -- the number of its last one of any kind

CREATE TABLE replayed (
	sink   TEXT NOT NULL,
	folder INTEGER NOT NULL,
	after  INTEGER NOT NULL, -- where the cursor was set back to
	last   INTEGER NOT NULL, -- from here
	replay INTEGER NOT NULL, -- its number
	PRIMARY KEY (sink, folder, replay)
) STRICT, WITHOUT ROWID;

CREATE TABLE resend (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	sink   TEXT NOT NULL,
	key    INTEGER NOT NULL, -- of the record
	replay INTEGER NOT NULL, -- its number
	UNIQUE (sink, key)
) STRICT;
CREATE INDEX resend_sink ON resend (sink); -- in the order of id

CREATE TABLE dead (
	sink   TEXT NOT NULL,
	key    INTEGER NOT NULL, -- of the record
	at     INTEGER NOT NULL,
	tries  INTEGER NOT NULL,
	reason TEXT NOT NULL,
	PRIMARY KEY (sink, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE batch (
	sink   TEXT NOT NULL,
	folder INTEGER NOT NULL,
	last   INTEGER NOT NULL,
	data   BLOB NOT NULL,
	PRIMARY KEY (sink, folder)
) STRICT;

CREATE TABLE waiting (
	sink   TEXT NOT NULL,
	folder INTEGER NOT NULL,
	seq    INTEGER NOT NULL,
	record TEXT NOT NULL, -- its id
	tries  INTEGER NOT NULL,
	since  INTEGER NOT NULL,
	error  TEXT NOT NULL,
	PRIMARY KEY (sink, folder)
) STRICT, WITHOUT ROWID;

CREATE TABLE acted (
	sink TEXT NOT NULL,
	key  BLOB NOT NULL, -- 16 octets of a hash
	at   INTEGER NOT NULL,
	PRIMARY KEY (sink, key)
) STRICT, WITHOUT ROWID;
`}}

// migration is one step: a script, what needs Go, and a script again.
type migration struct {
	script string
	then   func(ctx context.Context, c *sql.Conn) error // nil: nothing
	end    string
}

var errForeign = errors.New("a database of another program")

// version returns the schema of the ledger that c is connected to; 0: an empty file.
func version(ctx context.Context, c *sql.Conn, path string) (int, error) {
	var have, app, objects int
	err := c.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)`).
		Scan(&have, &app, &objects)
	switch {
	case err != nil:
		return 0, err
	case app != applicationID && (have != 0 || objects != 0):
		return 0, fmt.Errorf("ledger: %s is %w; name another file", path, errForeign)
	case have > len(migrations):
		return 0, fmt.Errorf("%w: %s has schema %d, this fblwatch knows %d; update fblwatch, or name another ledger",
			ledger.ErrNewer, path, have, len(migrations))
	}
	return have, nil
}

func migrate(ctx context.Context, c *sql.Conn, path string) error {
	have, err := version(ctx, c, path)
	if err != nil {
		return err
	}
	if have == len(migrations) {
		return nil
	}
	err = convert(ctx, c, migrations[have:])
	if err != nil { // a script may have stopped inside the transaction
		c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	}
	return err
}

// convert takes all steps in one transaction: each costs more than one fsync.
func convert(ctx context.Context, c *sql.Conn, steps []migration) error {
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, m := range steps {
		if _, err := c.ExecContext(ctx, m.script); err != nil {
			return err
		}
		if m.then != nil {
			if err := m.then(ctx, c); err != nil {
				return err
			}
		}
		if _, err := c.ExecContext(ctx, m.end); err != nil {
			return err
		}
	}
	_, err := c.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", applicationID, len(migrations)))
	return err
}
