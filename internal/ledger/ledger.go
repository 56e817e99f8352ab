// Package ledger is the contract of a ledger: it keeps every message that was read, its
// records, and how far each folder was read. One transaction writes all three, so that
// each record is in the ledger exactly once.
//
// Package sqlite implements it on a file, and package memory for tests. Package
// backend opens the ledger that a path or URL names. What an implementation shares
// with others (Number, Changes, Brake, Status.Format, ...) is here, too.
package ledger

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Folder is a mailbox. It stays the same folder under another UIDVALIDITY.
type Folder struct {
	Account string
	Name    string
}

// Checkpoint says how far a folder was read: every UID up to High is done,
// except the pending ones and those of Gaps. All of it belongs to one UIDValidity.
type Checkpoint struct {
	UIDValidity uint64
	High        uint32
	Pending     []Pending // ascending by UID; empty at rest
	Gaps        []Gap     // ascending, apart from each other
	Known       []Known   // a few messages that were read lately, ascending by UID

	// Again is the highest UID that may have been read before under the same
	// UIDValidity: a folder may be read from its start again. 0: none was.
	Again uint32
}

// Pending is a UID at or below High that is neither committed nor given up.
type Pending struct {
	UID   uint32
	Tries int // the number of connections that it has ended
	// Withheld is since when the server lists the message without giving it, exact to
	// a millisecond. Zero: it does not.
	Withheld time.Time
}

// Gap is a range of UIDs without a message when High passed them. A message may still
// appear there.
type Gap struct {
	Low, High uint32
	Since     time.Time // exact to a millisecond
}

// Known is the mark of a message's header. Another mark shows that its UID names
// another message now, under the same UIDVALIDITY.
type Known struct {
	UID  uint32
	Mark string
}

// Claim is the right to commit to one folder. A later Claim of the same folder
// ends it.
type Claim struct {
	Folder     Folder
	ID         int64 // the folder's row
	Token      string
	Checkpoint Checkpoint
	FirstSeen  time.Time // when the folder was first claimed; zero: unknown
	LastCommit time.Time // zero: none, or unknown
	Last       int64     // Seq of the folder's last record, set by Folders only; 0: none
}

// Place is where a message was read: its UID within a folder and UIDVALIDITY.
type Place struct {
	UID      uint32
	ReportID string
	Origin   uint64
}

// Message is a message that was read, with or without records.
type Message struct {
	ReportID    string // without a dot
	UIDValidity uint64
	UID         uint32
	Kind        string    // a report.Kind
	At          time.Time // of receipt
	Size        int64     // octets of the whole message, whose start Head is; 0: unknown
	Head        []byte    // the octets to keep; kept compressed
	Records     []Record
	Origin      uint64 // a hash of its outer From, Date and Message-ID; 0: unknown
}

// KeptMessage is a message whose head is kept. It has no Records.
type KeptMessage struct {
	Message
	FolderID int64
	Folder   Folder
	Made     int // the number of records when it was read first
}

// Record is one record as it goes out, with the columns that queries use.
type Record struct {
	ID       string // Message.ReportID, alone or followed by a dot and more
	Revision int
	At       time.Time // received_at, or processed_at without it
	JSON     []byte    // one object, no newline; stored unchanged

	Event, Class, Provider, Feed, SourceIP, Domain, Campaign, Subscriber, Identity, Verdict string

	Held *Held `json:",omitempty"` // nil: no limit. A ledger returns none
}

// Todo is an after-action owed to the mailbox.
type Todo struct {
	UIDValidity uint64
	UID         uint32
	Action      string
}

// Batch is what one Commit writes.
type Batch struct {
	Checkpoint Checkpoint
	Messages   []Message
	Todos      []Todo
}

// Row is a record with its number: Seq ascends by one within a folder, in commit
// order.
type Row struct {
	FolderID int64
	Folder   Folder
	Seq      int64
	Record
	Replaced bool // by a later revision, or by a record that supersedes it
	Replay   int  // of Unsent and Resends: the number of this sink's last Replay that has it sent again; 0: none
}

// Revision is a new reading of a message that the ledger has.
type Revision struct {
	ReportID string
	Kind     string   // the message's new kind; empty: unchanged
	Records  []Record // each with the next revision of its id; a new id has 1
	Replaced []string // ids of current records that Records replace
}

// Revised is what a Revise did.
type Revised struct {
	Rows []Row // the new records, in order of Seq within their folders
	// Stale are the report ids of revisions that were left out; see ErrStale.
	Stale []string
	Over  []FeedDay // the days on which records were held back
}

// Committed is what a Commit did.
type Committed struct {
	Messages   int              // new messages
	Kinds      map[string]int64 // new messages, by kind
	Duplicates int              // messages whose report_id was in the ledger, or earlier in the batch
	Rows       []Row            // the records of the new messages, in order of Seq
	Over       []FeedDay        // the days on which records were held back
}

// Query selects records; zero fields select everything.
type Query struct {
	Since, Until time.Time // received_at, half open
	Account      string
	Folder       string
	Event        string
	Class        string
	Provider     string
	Verdict      string
	ID           string // a record's id, or a report_id
	Replaced     bool   // include replaced records
	AfterSeq     int64  // needs FolderID
	FolderID     int64
	Limit        int // 0: no limit
}

// Selects reports whether q selects a record; it does not look at Limit.
func (q Query) Selects(r *Row) bool {
	low, high := Span(q.Since, q.Until)
	is := func(want, have string) bool { return want == "" || want == have }
	at := Milli(r.At)
	return at >= low && at < high && is(q.Account, r.Folder.Account) && is(q.Folder, r.Folder.Name) &&
		is(q.Event, r.Event) && is(q.Class, r.Class) && is(q.Provider, r.Provider) && is(q.Verdict, r.Verdict) &&
		(q.Replaced || !r.Replaced) && (is(q.ID, r.ID) || strings.HasPrefix(r.ID, q.ID+".")) &&
		(q.FolderID == 0 || r.FolderID == q.FolderID && r.Seq > q.AfterSeq)
}

// Count is the number of current records of one hour that say the same.
type Count struct {
	Hour                                            time.Time // UTC, of received_at
	Event, Class, Provider, Feed, Identity, Verdict string    // Identity: its status; of complaints and opt-outs only
	N                                               int64
}

// MessageCount is the number of a folder's messages of one kind.
type MessageCount struct {
	Folder Folder
	Kind   string
	N      int64
}

// Ledger is the writer's side. Every implementation passes ledgertest.Run. All methods
// are safe for concurrent use.
type Ledger interface {
	Reader
	Deliveries

	// Claim takes a folder for the caller and returns how far it was read. It makes
	// the folder if there is none.
	Claim(ctx context.Context, folder Folder) (Claim, error)

	// Commit writes a batch in one transaction, or nothing: ErrClaimLost,
	// ErrFull, ctx's error, or the disk's. It counts and leaves out messages whose
	// ReportID the ledger has. It writes the checkpoint even without messages. The
	// limits of records (see Held) count within the transaction.
	Commit(ctx context.Context, claim Claim, batch Batch) (Committed, error)

	// Revise writes the next revisions of records, or new records in place of
	// others, and updates the counts. It writes all but the stale ones, or nothing.
	Revise(ctx context.Context, revisions []Revision) (Revised, error)

	// Do carries out a change, as an Editor does.
	Do(ctx context.Context, c Change) (Changed, error)

	// RunRequests carries out what Editors in other processes ask for.
	RunRequests(ctx context.Context) (Ran, error)

	// Todos lists at most limit after-actions of a folder, oldest first.
	// CompleteTodos removes them. ErrClaimLost as for Commit.
	Todos(ctx context.Context, claim Claim, limit int) ([]Todo, error)
	CompleteTodos(ctx context.Context, claim Claim, todos []Todo) error

	// Ack moves a sink's cursor in a folder forward to seq. It never moves it back, nor
	// beyond the last record. It does nothing if the sink's cursors were set back more
	// often than replays says, see Replays.
	Ack(ctx context.Context, sink string, replays int, folderID, seq int64) error

	// Register makes a sink known. atHead: a new sink skips the records that the
	// ledger has now. It gets all records of folders that are made later.
	Register(ctx context.Context, sink string, atHead bool) error

	// SetStates replaces the rows of those names in one transaction, and notes the
	// writer's heartbeat. Without states it notes the heartbeat only.
	SetStates(ctx context.Context, states ...Status) error

	// Prune drops the heads of messages committed before heads and the records
	// received before records; a zero time drops nothing. Message rows stay.
	Prune(ctx context.Context, heads, records time.Time) error
}

// Reader is the reader's side. Any number may be open beside the writer.
type Reader interface {
	DeliveryReader

	// Folders lists every folder with its checkpoint, by account and name.
	Folders(ctx context.Context) ([]Claim, error)

	// Records yields the records that q selects, by folder and Seq. It holds no
	// transaction open between yields.
	Records(ctx context.Context, q Query) iter.Seq2[Row, error]

	// Unsent yields the records that a sink has not acknowledged, by folder and Seq,
	// except those of some folders. It ends at the last record at the time of the call.
	Unsent(ctx context.Context, sink string, without ...int64) iter.Seq2[Row, error]

	// KeptMessages yields the messages whose heads are kept, in the order in which they
	// were read: those received at or after since, of one of kinds. Without kinds it
	// yields all kinds. It holds no transaction open between yields.
	KeptMessages(ctx context.Context, since time.Time, kinds ...string) iter.Seq2[KeptMessage, error]

	// ReportIDs lists at most limit ids of messages that begin with prefix, in order.
	ReportIDs(ctx context.Context, prefix string, limit int) ([]string, error)

	// Head returns the kept head of a message, decompressed, or nil if it is not kept.
	Head(ctx context.Context, reportID string) ([]byte, error)

	// Places lists at most limit messages of a folder and UIDVALIDITY with a UID of at
	// least from, by UID. It may look through all messages of the ledger: an index
	// would slow each commit, and folders are rarely read again.
	Places(ctx context.Context, folderID int64, uidValidity uint64, from uint32, limit int) ([]Place, error)

	// Counts lists the counts of hours that begin in [since, until). A zero time is
	// open. Prune does not change them.
	Counts(ctx context.Context, since, until time.Time) ([]Count, error)

	// MessageCounts lists by folder and kind. Prune does not change them.
	MessageCounts(ctx context.Context) ([]MessageCount, error)

	// States lists by name.
	States(ctx context.Context) ([]Status, error)

	Close() error
}
