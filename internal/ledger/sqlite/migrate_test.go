package sqlite

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

// older makes a ledger of an older schema and runs a script on it.
func older(t *testing.T, path string, schema int, script string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all strings.Builder
	for _, m := range migrations[:schema] {
		all.WriteString(m.script + m.end)
	}
	if _, err := db.Exec(fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d", all.String(), applicationID, schema)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(script, args...); err != nil {
		t.Fatal(err)
	}
}

// oldPack is a pack of heads as schema 4 had it.
func oldPack(heads ...string) []byte {
	var plain []byte
	for _, head := range heads {
		plain = append(binary.AppendUvarint(plain, uint64(len(head))), head...)
	}
	return s2.Encode(nil, plain)
}

// A ledger of schema 4 keeps all it has: records with their revisions, kept heads, counts.
func TestMigrateFromSchema4(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	hexID := func(i int) string { return fmt.Sprintf("%032x", i) }
	const hour, inbox, junk = 1772366400000, 1 << 40, 2 << 40
	script := fmt.Sprintf(`INSERT INTO folder (id, account, name, next_seq, uidvalidity, high) VALUES (1, 'yahoo', 'INBOX', 202, 9, 5), (2, 'yahoo', 'Junk', 4, 9, 5);
		INSERT INTO head (id, at, pack) VALUES (3, %[1]d, ?), (4, %[1]d, ?), (5, %[1]d, ?), (6, %[1]d, x'ff');
		INSERT INTO mail (report_id, folder, uidvalidity, uid, kind, at, seq, records, head, piece, size, origin) VALUES
			('%[2]s', 1, 9, 11, 'report', %[1]d, 1, 1, 3, 2, 70, -5),
			('%[3]s', 1, 9, 12, 'report', %[1]d, 2, 1, 3, 0, 71, 6),
			('%[4]s', 2, 18446744073709551, 13, 'unparsed', %[1]d, 1, 2, 1, 0, 72, 7), -- its head is pruned
			('odd', 2, 9, 14, 'other', %[1]d, 3, 1, 6, 0, 0, 0), -- its head is damaged
			('ABCDEFABCDEFABCDEFABCDEFABCDEFAB', 1, 9, 15, 'report', %[1]d, 3, 0, 5, 0, 73, 8);
		INSERT INTO record (key, id, revision, at, event, class, provider, source_ip, domain, campaign, subscriber, verdict, json, feed, identity, replaced) VALUES
			(%[5]d + 1, '%[2]s.1', 1, %[1]d, 'complaint', 'fbl', 'yahoo', '192.0.2.1', 'example.com', 'c', 's', 'yes', '{"n":1}', 'cfl', 'identified', 0),
			(%[5]d + 2, '%[3]s.1', 1, %[1]d, 'complaint', 'fbl', 'yahoo', '192.0.2.2', 'example.org', '', '', 'review', '{"n":2}', '', '', 1),
			(%[5]d + 201, '%[3]s.1', 2, %[1]d + 1, 'notspam', 'fbl', 'yahoo', '192.0.2.2', 'example.org', '', '', 'no', '{"n":3}', '', '', 0),
			(%[6]d + 1, '%[4]s.1', 1, %[1]d, '', '', '', '', '', '', '', '', '{"n":4}', '', '', 0),
			(%[6]d + 2, '%[4]s.2', 1, %[1]d, '', '', '', '', '', '', '', '', '{"n":5}', '', '', 0),
			(%[6]d + 3, 'odd', 1, %[1]d, 'complaint', 'fbl', 'yahoo', '192.0.2.1', 'example.com', 'c', 's', 'yes', '{"n":6}', 'cfl', 'identified', 0);
		INSERT INTO revision VALUES ('%[3]s', %[5]d + 201);
		INSERT INTO hourly VALUES (%[1]d, 'complaint', 'fbl', 'yahoo', 'cfl', 'identified', 'yes', 2), (%[1]d, 'pruned', 'fbl', 'aol', '', '', 'no', 5)`,
		hour, hexID(0xa1), hexID(0xa2), hexID(0xb3), inbox, junk)
	older(t, path, 4, script, oldPack("of a2", "known before", "of a1"), oldPack("known before"), oldPack("of AB"))

	l := openTest(t, path)
	defer l.Close()
	all := func(q ledger.Query) (s string) {
		for _, row := range ledgertest.Rows(t, l.Records(t.Context(), q)) {
			s += fmt.Sprintf("%s/%d %s r%d %s %t; ", row.Folder.Name, row.Seq, strings.TrimLeft(row.ID, "0"), row.Revision, row.JSON, row.Replaced)
		}
		return s
	}
	ledgertest.Want(t, "all", all(ledger.Query{Replaced: true}),
		`INBOX/1 a1.1 r1 {"n":1} false; INBOX/2 a2.1 r1 {"n":2} true; INBOX/201 a2.1 r2 {"n":3} false; `+
			`Junk/1 b3.1 r1 {"n":4} false; Junk/2 b3.2 r1 {"n":5} false; Junk/3 odd r1 {"n":6} false; `)
	ledgertest.Want(t, "of a message", all(ledger.Query{ID: hexID(0xa2)}), `INBOX/201 a2.1 r2 {"n":3} false; `)
	ledgertest.Want(t, "of an odd message", all(ledger.Query{ID: "odd"}), `Junk/3 odd r1 {"n":6} false; `)
	ledgertest.Want(t, "by provider and verdict", all(ledger.Query{Provider: "yahoo", Verdict: "yes"}), `INBOX/1 a1.1 r1 {"n":1} false; Junk/3 odd r1 {"n":6} false; `)
	rows := ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{ID: hexID(0xa1)}))
	noon := time.UnixMilli(hour).UTC()
	ledgertest.Diff(t, "columns", rows[0].Record, ledger.Record{ID: hexID(0xa1) + ".1", Revision: 1, At: noon, JSON: []byte(`{"n":1}`), Event: "complaint", Class: "fbl",
		Provider: "yahoo", Feed: "cfl", SourceIP: "192.0.2.1", Domain: "example.com", Campaign: "c", Subscriber: "s", Identity: "identified", Verdict: "yes"})

	for id, want := range map[string]string{hexID(0xa1): "of a1", hexID(0xa2): "of a2", hexID(0xb3): "", "odd": "", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB": "of AB"} {
		head, err := l.Head(t.Context(), id)
		if err != nil || string(head) != want {
			t.Errorf("head of %s: %q, %v; want %q", id, head, err, want)
		}
	}
	var kept []string
	for k, err := range l.KeptMessages(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, fmt.Sprintf("%s %d %s %d %d", strings.TrimLeft(k.ReportID, "0"), k.UID, k.Head, k.Size, k.Made))
	}
	ledgertest.Want(t, "kept", strings.Join(kept, "; "), "a2 12 of a2 71 1; a1 11 of a1 70 1; ABCDEFABCDEFABCDEFABCDEFABCDEFAB 15 of AB 73 0")
	places, err := l.Places(t.Context(), 1, 9, 12, 9)
	ledgertest.Diff(t, "places", places, []ledger.Place{{UID: 12, ReportID: hexID(0xa2), Origin: 6}, {UID: 15, ReportID: "ABCDEFABCDEFABCDEFABCDEFABCDEFAB", Origin: 8}})
	if err != nil {
		t.Error(err)
	}
	ids, err := l.ReportIDs(t.Context(), strings.Repeat("0", 30), 9)
	ledgertest.Diff(t, "ids", ids, []string{hexID(0xa1), hexID(0xa2), hexID(0xb3)})
	if err != nil {
		t.Error(err)
	}
	counts, err := l.Counts(t.Context(), time.Time{}, time.Time{})
	ledgertest.Diff(t, "counts", counts, []ledger.Count{
		{Hour: noon, Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "cfl", Identity: "identified", Verdict: "yes", N: 2},
		{Hour: noon, Event: "pruned", Class: "fbl", Provider: "aol", Verdict: "no", N: 5}})
	if err != nil {
		t.Error(err)
	}

	// It goes on: what was known is known, and a revision follows the last one.
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	done := ledgertest.Commit(t, l, c, ledgertest.Message(hexID(0xb3), 1), ledgertest.Message("odd", 1), ledgertest.Message(hexID(0xc4), 1))
	if done.Duplicates != 2 {
		t.Errorf("%d duplicates", done.Duplicates)
	}
	ledgertest.Want(t, "new", ledgertest.Places(done.Rows), "INBOX/202="+hexID(0xc4)+".1")
	current := ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{ID: hexID(0xa2)}))[0]
	ledgertest.Revise(t, l, ledger.Revision{ReportID: hexID(0xa2), Records: []ledger.Record{ledgertest.Revised(current.Record, 3, nil)}})
	ledgertest.Want(t, "revised", ledgertest.Places(ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{ID: hexID(0xa2)}))), "INBOX/203="+hexID(0xa2)+".1")
}

// A ledger of each older schema keeps more than a page of records, and its heads.
func TestMigrateFromEachSchema(t *testing.T) {
	const messages = 2*pageRows + 100
	id := func(uid int) string { return fmt.Sprintf("%032x", uid*0x9e3779b97f4a7) }
	for schema := 1; schema < 5; schema++ {
		feed, none := ", feed, identity", ", '', ''"
		if schema == 1 {
			feed, none = "", ""
		}
		path := filepath.Join(t.TempDir(), "l.db")
		older(t, path, schema, fmt.Sprintf(`INSERT INTO folder (id, account, name, next_seq) VALUES (1, 'yahoo', 'INBOX', %d);
			INSERT INTO head (id, at, pack) VALUES (1, 5, ?), (2, 6, ?);
			WITH RECURSIVE each(uid) AS (SELECT 1 UNION ALL SELECT uid + 1 FROM each WHERE uid < %d)
			INSERT INTO mail (report_id, folder, uidvalidity, uid, kind, at, seq, records, head, piece)
				SELECT printf('%%032x', uid * 0x9e3779b97f4a7), 1, 9, uid, 'report', uid, uid, 1, iif(uid %% 500 = 0, 3 - uid / 500, NULL), 0 FROM each;
			INSERT INTO record (key, id, revision, at, event, class, provider, source_ip, domain, campaign, subscriber, verdict, json)
				SELECT (1 << 40) + seq, report_id || '.1', 1, at, 'complaint', 'fbl', 'p' || (uid %% 3), '', '', '', '', 'yes', '{"n":' || uid || '}' FROM mail;
			INSERT INTO hourly (hour, event, class, provider, verdict, n%s) SELECT 0, 'complaint', 'fbl', provider, 'yes', count(*)%s FROM record GROUP BY provider`,
			messages+1, messages, feed, none), oldPack("head of 1000"), oldPack("head of 500"))
		l := openTest(t, path)
		rows := ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{}))
		if len(rows) != messages {
			t.Fatalf("schema %d: %d records", schema, len(rows))
		}
		var known []ledger.Message
		for i, row := range rows {
			uid := i + 1
			if row.ID != id(uid)+".1" || string(row.JSON) != fmt.Sprintf(`{"n":%d}`, uid) || row.Provider != fmt.Sprintf("p%d", uid%3) {
				t.Fatalf("schema %d: record %d: %+v %s", schema, uid, row, row.JSON)
			}
			known = append(known, ledgertest.Message(id(uid), 1))
		}
		for uid, want := range map[int]string{499: "", 500: "head of 500", 501: "", 1000: "head of 1000"} {
			if head, err := l.Head(t.Context(), id(uid)); err != nil || string(head) != want {
				t.Errorf("schema %d: head of %d: %q, %v", schema, uid, head, err)
			}
		}
		if done := ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), known...); done.Duplicates != messages {
			t.Errorf("schema %d: %d messages are known", schema, done.Duplicates)
		}
		l.Close()
	}
}

// A ledger of schema 5 keeps all it has, and its sinks go on where they were.
func TestMigrateFromSchema5(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	const noon = 1772366400000
	var p recordPacker
	var pack []byte
	for i := range int64(3) {
		if err := p.add(key(1, 1+i), fmt.Sprintf("%c.1", 'a'+i), fmt.Appendf(nil, `{"n":%d}`, i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.flush(func(_ int64, b []byte) error { pack = bytes.Clone(b); return nil }); err != nil {
		t.Fatal(err)
	}
	older(t, path, 5, `INSERT INTO folder (id, account, name, next_seq, uidvalidity, high) VALUES (1, 'yahoo', 'INBOX', 4, 9, 5);
		INSERT INTO mail VALUES (1, 'a', 1, 9, 3, 'report', 5, 1, 1, 70, 0), (2, 'b', 1, 9, 4, 'report', 5, 2, 1, 70, 0), (3, 'c', 1, 9, 5, 'report', 5, 3, 1, 70, 0);
		INSERT INTO label VALUES (1, 'complaint', 'fbl', 'yahoo', 'cfl', '', 'yes');
		INSERT INTO record SELECT (1 << 40) + n, 1, 1, 1772366400000 + n, '', '', '', '', 0 FROM mail;
		INSERT INTO pack VALUES ((1 << 40) + 1, ?);
		INSERT INTO hourly VALUES (1772366400000, 1, 3);
		INSERT INTO todo (folder, uidvalidity, uid, action) VALUES (1, 9, 5, 'seen');
		INSERT INTO sink VALUES ('file'), ('suppress list');
		INSERT INTO cursor VALUES ('file', 1, 2), ('suppress list', 1, 1);
		INSERT INTO state VALUES ('sink/file', '{"state":"ok"}', 5)`, pack)
	l := openTest(t, path)
	defer l.Close()
	ctx := t.Context()
	ledgertest.Want(t, "records", ledgertest.Places(ledgertest.Rows(t, l.Records(ctx, ledger.Query{Provider: "yahoo"}))), "INBOX/1=a.1 INBOX/2=b.1 INBOX/3=c.1")
	ledgertest.Want(t, "unsent", ledgertest.Places(ledgertest.Rows(t, l.Unsent(ctx, "file"))), "INBOX/3=c.1")
	ledgertest.Want(t, "unsent", ledgertest.Places(ledgertest.Rows(t, l.Unsent(ctx, "suppress list"))), "INBOX/2=b.1 INBOX/3=c.1")
	if states, err := l.States(ctx); err != nil || len(states) != 1 || states[0].State != ledger.StateOK {
		t.Errorf("states %+v, %v", states, err)
	}
	todos, err := l.Todos(ctx, ledgertest.Claim(t, l, ledgertest.Inbox), 9)
	if err != nil || len(todos) != 1 {
		t.Errorf("todos %+v, %v", todos, err)
	}
	if n, since, err := l.Lag(ctx, "file"); err != nil || n != 1 || since != time.UnixMilli(noon+3).UTC() {
		t.Errorf("%d wait since %v, %v", n, since, err)
	}
	if n, err := l.Replays(ctx, "file"); err != nil || n != 0 {
		t.Errorf("%d replays, %v", n, err)
	}
	if err := l.Ack(ctx, "file", 0, 1, 3); err != nil {
		t.Error(err)
	}
	ledgertest.Replay(t, l, ledger.Replay{Sink: "file", Since: time.UnixMilli(noon + 2)}, 2)
}
