package imapclient

import (
	"strings"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Client is one logged-in session with a server. Only one goroutine at a time may
// call its methods.
//
// The session goes on after these errors: *ResponseError, ErrNoIdle, ErrNoNotify,
// ErrNoQuota, ErrNoFlag, ErrNoMove, ErrNoUIDPlus, ErrReadOnly, ErrUID, ErrLocked,
// an argument that is not valid, and a mailbox without UIDVALIDITY. After any
// other error the session is over: [Client.Ended] is closed and every method
// returns the reason. That is a *TimeoutError, a *ByeError, a *FetchError,
// ErrProtocol, ErrUIDValidity, ErrClosed, the cause of the context, or an error of
// the network.
//
// A panic in a Handler or in the loop over Fetch passes through the method that
// called it. Then only Close may be called.
type Client struct {
	opts    Options
	limits  Timeouts
	quirks  *Quirks
	h       callbacks.Handler
	tap     *tap
	gi      *imapclient.Client
	caps    map[string]bool
	mailbox callbacks.Mailbox  // as the events name it
	next    *callbacks.Mailbox // the mailbox that is being opened, until its events begin
	expires time.Time          // of the credentials
	locked  bool               // a Handler or the loop over Fetch is running

	// Gathered by the events of the running command.
	selected Selected
	searches bool   // a SEARCH found a message
	odd      string // UIDVALIDITY, if it is no number of 64 bits
	found    []uint32
	far      uint64 // a UID over 32 bits since the command began; 0: none
	lists    []List
	listing  string // LIST or LSUB, while it runs
	asking   string // the mailbox whose STATUS status is
	status   callbacks.Status
	refusal  status // the last tagged NO or BAD
	bye      *ByeError
	quiet    int       // texts of level Info during the command
	until    time.Time // end of the pause that the server asked for

	// Of the doorbell.
	rang    bool   // new messages that Rang and Idle have not reported
	opening bool   // a mailbox is being opened: its EXISTS is not news
	arrived uint64 // messages announced by EXISTS since the mailbox was opened
	shrunk  bool   // an EXPUNGE came after the last EXISTS
	recents uint32 // number of the last RECENT
	risen   uint32 // rise of EXISTS since then
	alone   bool   // no EXISTS since then
	waiting bool   // in IDLE, after its "+"
	babbled int    // weight of the needless EXISTS lines

	// Of extensions.
	asked     bool            // ENABLE QRESYNC was sent
	enabled   bool            // QRESYNC is on
	permanent []string        // flags that the open mailbox keeps; nil: not known
	watched   map[string]bool // mailboxes of Notify; nil: none
	overflow  bool            // the server has stopped NOTIFY by itself
	overflows int             // so often in a row
	changed   map[string]bool // of watched, since Changed
	stirred   bool            // changed has news that Idle has not reported
	personal  List            // the personal namespace
	spelled   spellings
	overlists bool // the Handler was warned that LIST answers with too much
	quotas    []Quota

	lastOverflow time.Time
	roundTrip    time.Duration // of the quickest command; 0: not known

	idle <-chan status // answer to an IDLE that Idle has left; nil: none
}

// Has reports whether the server offers a capability, such as "IDLE" (RFC 9051
// section 7.2.2). Case does not matter.
func (c *Client) Has(capability string) bool { return c.caps[strings.ToUpper(capability)] }

// Expires is the Expires of the Credentials that logged in. Zero: not known, or
// never.
func (c *Client) Expires() time.Time { return c.expires }

// Ended returns a channel that is closed when the session is over: by Close, by the
// server or by the network. Any goroutine may call it at any time.
func (c *Client) Ended() <-chan struct{} { return c.tap.quit }
