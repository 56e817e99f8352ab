package ledger

import "errors"

var (
	// ErrNone means that there is no ledger where one is to be read.
	ErrNone = errors.New("ledger: there is no ledger")
	// ErrScheme means that a URL names a kind of ledger that is not built in.
	ErrScheme = errors.New("ledger: the only kind is an SQLite file; name its path")
	// ErrClaimLost means that another writer has claimed the folder since.
	// Nothing of the batch was written.
	ErrClaimLost = errors.New("ledger: the folder is claimed by another writer")
	// ErrStale means that a revision was made of records that are no longer current,
	// or of a message that is not known.
	ErrStale = errors.New("ledger: the revision is of records that are no longer current")
	// ErrLocked means that another process writes this ledger; the error that
	// wraps it names its process id.
	ErrLocked = errors.New("ledger: in use by another process")
	// ErrNewer means that a newer fblwatch wrote this ledger.
	ErrNewer = errors.New("ledger: written by a newer version")
	// ErrFull means that the disk (or a quota) is full. Nothing of the batch
	// was written.
	ErrFull = errors.New("ledger: no space left")
)
