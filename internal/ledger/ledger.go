// Package ledger keeps every message that was read, every record it gave and how
// far each folder was read, in one transaction: exactly once.
package ledger

import (
	"context"
	"iter"
	"time"
)

// Folder is a mailbox as the ledger knows it, across UIDVALIDITY changes.
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

	// Again: messages up to this UID may have been read before under the same
	// UIDValidity, as in a folder that is read from its start again; 0: none was.
	Again uint32
}

// Pending is a UID at or below High that is neither committed nor given up.
type Pending struct {
	UID   uint32
	Tries int // how many connections it has ended
	// Withheld is since when the server lists the message and gives nothing for
	// it, in milliseconds; zero: it does not.
	Withheld time.Time
}

// Gap is a range of UIDs that were not there when High passed them. A message may
// still show up there.
type Gap struct {
	Low, High uint32
	Since     time.Time // in milliseconds
}

// Known tells by which mark a message is known again, should its UID come to mean
// another one under the same UIDVALIDITY.
type Known struct {
	UID  uint32
	Mark string // of its header
}

// Claim is the right to commit to one folder. A later Claim of the same folder
// ends it.
type Claim struct {
	Folder     Folder
	ID         int64 // the folder's row
	Token      string
	Checkpoint Checkpoint
	FirstSeen  time.Time // when the folder was first claimed; zero: before that was noted
	LastCommit time.Time // the last commit; zero: none, or before that was noted
	Last       int64     // Seq of the folder's last record, as Folders lists it; 0: none
}

// Place is a message as it was read at a place in a folder.
type Place struct {
	UID      uint32
	ReportID string
	Origin   uint64
}

// Message is one message that was read, whether or not it made records.
type Message struct {
	ReportID    string // without a dot
	UIDValidity uint64
	UID         uint32
	Kind        string    // report.Kind as a string
	At          time.Time // INTERNALDATE
	Size        int64     // octets of the whole message that Head is the start of; 0: unknown
	Head        []byte    // the octets that were fetched; kept compressed
	Records     []Record
	Origin      uint64 // what its outer From, Date and Message-ID are known by; 0: unknown
}

// KeptMessage is a message whose head is kept. Of Records it has only how many it made
// when it was read first.
type KeptMessage struct {
	Message
	FolderID int64
	Folder   Folder
	Made     int
}

// Record is one record as it goes out, with the columns that queries use.
type Record struct {
	ID       string // Mail.ReportID, alone or with a dot and more behind it
	Revision int
	At       time.Time // received_at
	JSON     []byte    // one object, no newline; stored as it is

	Event, Class, Provider, Feed, SourceIP, Domain, Campaign, Subscriber, Identity, Verdict string

	Held *Held `json:",omitempty"` // nil: no limit. What a ledger returns has none
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

// Row is a record with its place in the ledger: Seq ascends by one within a
// folder, in commit order.
type Row struct {
	FolderID int64
	Folder   Folder
	Seq      int64
	Record
	Replaced bool // by a later revision, or by a record that supersedes it
}

// Revision is what a message that is known says now.
type Revision struct {
	ReportID string
	Kind     string   // the message's from now on; empty: as before
	Records  []Record // each with the next revision of its id; that of a new id is 1
	Replaced []string // ids of current records that these stand for
}

// Revised is what a Revise did.
type Revised struct {
	Rows []Row // the new records, in order of Seq within their folders
	// Stale are the report ids of revisions that were left out: made of
	// records that are no longer current, or of a message that is not known.
	Stale []string
	Over  []FeedDay // the days on which records were held back
}

// Committed is what a Commit did.
type Committed struct {
	Messages   int              // messages that were new
	Kinds      map[string]int64 // these, by kind
	Duplicates int              // messages whose report_id was known already, also within the batch
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
	Replaced     bool   // also records that were replaced since
	AfterSeq     int64  // with FolderID
	FolderID     int64
	Limit        int // 0: no limit
}

// Count is how many records one hour brought, by what they say today.
type Count struct {
	Hour                                            time.Time // UTC, of received_at
	Event, Class, Provider, Feed, Identity, Verdict string    // Identity: of complaints, its status
	N                                               int64
}

// MailCount is how many messages of a kind a folder brought.
type MessageCount struct {
	Folder Folder
	Kind   string
	N      int64
}

// Ledger is the writer's side; every implementation passes the same contract
// suite. All methods are safe for concurrent use.
type Ledger interface {
	Reader

	// Claim takes folder for this writer and tells how far it was read. It
	// makes the folder where there is none.
	Claim(ctx context.Context, folder Folder) (Claim, error)

	// Commit writes a batch in one transaction, or nothing: ErrClaimLost,
	// ErrFull, ctx's error, or the disk's. Messages whose ReportID is known are
	// counted and left out, with their records. The checkpoint is always
	// written. The limits of records (see Held) hold across all writers.
	Commit(ctx context.Context, claim Claim, batch Batch) (Committed, error)

	// Revise writes the next revisions of records, or new records in place of
	// others, and moves the counts along; all or nothing, but for what is
	// Stale.
	Revise(ctx context.Context, revisions []Revision) (Revised, error)

	// RunRequests carries out what other processes asked for since (see Do), and
	// returns the records that came of it.
	RunRequests(ctx context.Context) ([]Row, error)

	// Todos lists what is owed to a folder, oldest first and at most limit; CompleteTodos
	// strikes it off.
	Todos(ctx context.Context, claim Claim, limit int) ([]Todo, error)
	CompleteTodos(ctx context.Context, claim Claim, todos []Todo) error

	// Ack moves a sink's cursor in a folder to seq, never back.
	Ack(ctx context.Context, sink string, folderID, seq int64) error

	// Register makes a sink known. atHead: a sink never seen before starts
	// behind what the ledger holds now, in every folder there is; folders made
	// later start at their beginning.
	Register(ctx context.Context, sink string, atHead bool) error

	// SetStates replaces the rows of those names in one transaction, and notes that
	// this writer lives; without any it only does that.
	SetStates(ctx context.Context, states ...Status) error

	// Prune drops the heads of messages committed before heads and the records
	// received before records; a zero time drops nothing. Message rows stay.
	Prune(ctx context.Context, heads, records time.Time) error
}

// Reader is the reader's side; any number may be open beside the writer.
type Reader interface {
	// Folders lists every folder with its checkpoint, by account and name.
	Folders(ctx context.Context) ([]Claim, error)

	// Records yields the records that q selects, by folder and Seq. It holds
	// no transaction open between yields for longer than a page.
	Records(ctx context.Context, q Query) iter.Seq2[Row, error]

	// Unsent yields the records that a sink has not acknowledged, by folder
	// and Seq, without those of some folders; it ends at what was committed when
	// it was called.
	Unsent(ctx context.Context, sink string, without ...int64) iter.Seq2[Row, error]

	// KeptMessages yields the messages whose heads are kept, that came in at or after since
	// and are of one of kinds, in the order in which they were read. A zero
	// time or no kinds: all. It holds no transaction open between yields.
	KeptMessages(ctx context.Context, since time.Time, kinds ...string) iter.Seq2[KeptMessage, error]

	// ReportIDs lists the ids of messages that begin with prefix, in their order
	// and at most limit.
	ReportIDs(ctx context.Context, prefix string, limit int) ([]string, error)

	// Head returns the kept head of a message, decompressed; nil where it is not
	// kept any more.
	Head(ctx context.Context, reportID string) ([]byte, error)

	// Places lists the messages that were read in a folder under a UIDVALIDITY,
	// those with a UID of from or above, by UID and at most limit. It looks
	// through all messages of the ledger: an index would cost each new message
	// more than the rare reading of a folder once more is worth.
	Places(ctx context.Context, folderID int64, uidValidity uint64, from uint32, limit int) ([]Place, error)

	// Counts lists the hours that begin in [since, until); a zero time is
	// open. MailCounts lists by folder and kind. Pruning changes neither.
	Counts(ctx context.Context, since, until time.Time) ([]Count, error)
	MessageCounts(ctx context.Context) ([]MessageCount, error)
	// States lists by name.
	States(ctx context.Context) ([]Status, error)

	Close() error
}
