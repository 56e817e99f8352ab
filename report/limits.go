package report

// What one message may cost. A message beyond a limit is read as far as the limit,
// with a problem that says so. Package message has those of MIME.
const (
	maxRecipients = 1_000    // records of a message
	maxSigners    = 100      // domains that signed the reported message
	maxRecords    = 32 << 20 // octets of a message's records together
	firstLook     = 32 << 10 // octets that are asked for first, where more than was given is wanted
	lookReport    = 16 << 20 // octets of a multipart/report that are searched for its parts
	lookLeaf      = 64 << 10 // octets of a message that is no multipart
	maxWithin     = 4        // messages within messages that are looked for
	maxBatched    = 50       // X-ARF texts of one message
	maxSubject    = 1000     // octets of a subject that count
)

// idBody is how much of the body counts for the report's id, in octets after
// CR and CRLF were read as LF.
const idBody = 4096
