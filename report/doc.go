// Package report turns the octets of one message into a feedback report and its
// records, and writes feedback reports.
//
// It reads the Abuse Reporting Format, RFC 5965, with its additions: not-spam (RFC
// 6430), authentication failures (RFC 6591 and RFC 9991), Source-Port (RFC 6692),
// redacted recipients (RFC 6590) and the CFBL-Feedback-ID of complaint feedback loops
// (RFC 9477). It also reads X-ARF, the JSON of Amazon SES and other formats of their own;
// providers.md lists them.
//
// [Parse] never fails. A strict reader refuses a fifth of the reports that providers
// send: they are cut, lack the closing boundary, have their parts in any order, or have
// fields that no grammar allows. Parse reads what it can, lists the faults in
// [Report.Problems], and invents nothing.
//
// [Report.Records] makes one [Record] for each complaint and recipient. It names the
// speaker by a table of dialects and providers, which [Providers] extends. It fills in
// what a report leaves out from the fields that the provider's own hosts wrote into the
// header of the original; [Record.Derived] names the source of each such value.
//
// This package checks no signature and knows no subscriber, so every complaint is for
// review. The caller sets [Record.Reporter] and calls [Record.Identify]; then
// [Record.Decide] returns the verdict. [Report.Header] and [Report.Text] give access to
// the message beyond the record's keys, and [Report.Parts] shows how the message was
// read.
//
// The cost of a message grows with its size alone. Parse counts the octets that it looks
// at; it stops at 64 times the size of the message plus 1 MiB, and the message is then
// of KindUnparsed. No clock decides, so a message has the same records everywhere.
// [ParseContext] also stops when its context is done.
//
// A caller that fetches messages over a network needs only their start: give
// [ParsePrefix] what there is and the size of the message, and ask [Report.Need] for
// more.
//
// Parse may be called by several goroutines at once. A Report and its records are not for
// concurrent use.
package report
