package message

// What one message may cost. A message beyond a limit is read as far as the limit.
const (
	MaxHeader     = 1 << 20   // octets of one header
	MaxName       = 128       // octets of a field's name
	MaxFields     = 10_000    // fields of a header that are kept
	maxType       = 256       // octets of a media type
	maxParams     = 100       // parameters of a Content-Type or Content-Disposition
	maxParameters = 64 << 10  // octets of them together
	maxContinued  = 10        // pieces of a parameter
	maxBoundary   = 256       // octets of a boundary; RFC 2046 section 5.1.1 has 70
	maxHost       = 512       // octets of a domain; RFC 5321 section 4.5.3.1.2 has 255, without IDNA
	MaxDepth      = 20        // multiparts within multiparts
	maxParts      = 1_000     // parts of a message
	maxAddress    = 1_000     // octets of an address; RFC 5321 section 4.5.3.1 has 320
	MaxDecoded    = 1 << 20   // octets of a decoded part
	MaxRaw        = 64 << 10  // octets of a header that are kept as they are
	maxWords      = 16 << 10  // octets of a value whose encoded words are decoded
	maxStart      = 4096      // octets of a text that Start gives
	LookMixed     = 256 << 10 // octets of a multipart that FrameOf searches
)
