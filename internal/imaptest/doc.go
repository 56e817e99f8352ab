// Package imaptest holds the IMAP servers that tests talk to: [Server], a
// scripted one over in-memory connections that can fail at any byte, and
// [Dovecot], a real one on the loopback. Only tests and benchmarks import it.
//
// Server speaks the part of RFC 3501 that a reader of mailboxes needs, with
// IDLE (RFC 2177), SASL-IR (RFC 4959), LITERAL+ (RFC 7888), ID (RFC 2971),
// COMPRESS (RFC 4978), UNSELECT (RFC 3691), QRESYNC (RFC 7162) and NOTIFY (RFC
// 5465). It parses commands, so their arguments may come in any
// order the grammar allows.
package imaptest
