// Package imaptest holds the IMAP servers that tests talk to: [Server], a
// scripted one over in-memory connections that can fail at any byte, and the
// real ones of [Families] on the loopback. Only tests and benchmarks import it.
//
// Server speaks the part of RFC 3501 that a reader of mailboxes needs, with
// IDLE (RFC 2177), ID (RFC 2971), UNSELECT (RFC 3691), UIDPLUS (RFC 4315),
// SASL-IR (RFC 4959), COMPRESS (RFC 4978), NOTIFY (RFC 5465), MOVE (RFC 6851),
// QRESYNC (RFC 7162) and LITERAL+ (RFC 7888). It parses commands, so their
// arguments may come in any order the grammar allows.
package imaptest
