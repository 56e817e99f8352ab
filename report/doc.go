// Package report turns the bytes of one message into a feedback report and its
// records.
//
// It reads the Abuse Reporting Format, RFC 5965, with its additions: not-spam
// (RFC 6430), authentication failures (RFC 6591 and RFC 9991), Source-Port (RFC
// 6692) and the CFBL-Feedback-ID of complaint feedback loops (RFC 9477).
// Redacted recipients (RFC 6590) are told from addresses.
//
// [Parse] takes what comes. Of the reports that providers send, a fifth are
// refused by a strict reader: they are cut, lack the closing boundary, have
// their parts in any order, or fields that no grammar allows. A bad message is data
// here: Parse never fails, says what was wrong in [Report.Problems], and leaves
// out what it does not know. It invents nothing.
//
// [Report.Records] names who speaks by a table of dialects and providers, which
// [Providers] extends, and fills what a report leaves out from what the
// provider's own hosts wrote into the original's header. Nobody is identified
// and nothing is authenticated here: a record learns that by [Record.Identify]
// and its Reporter, and [Record.Decide] draws the conclusion. [Report.Header]
// and [Report.Text] give them what the message says beyond the record's keys.
//
// The time that a message takes grows with its size alone, whatever it holds. Parse
// counts the octets that it looks at, and a message that costs more than 64 times
// its size is of KindUnparsed: the clock decides nothing, so that a message has the
// same records everywhere. [ParseContext] ends early with its context.
//
// A caller that fetches messages over a network needs no more than their heads:
// give [ParsePrefix] what there is and the message's size, and ask [Report.Need]
// whether it wants more.
package report
