// Package imaptest holds what tests of an IMAP client talk to: [Server], a
// scripted server over in-memory connections that can fail at any byte, bad
// ways to a real server ([ChaosProxy], [DelayProxy]), and [RawConn], a client of
// lines. The real servers are in realserver. Only tests and benchmarks import it.
//
// Server speaks the part of RFC 3501 that a reader of mailboxes needs, with
// IDLE (RFC 2177), ID (RFC 2971), UNSELECT (RFC 3691), UIDPLUS (RFC 4315),
// SASL-IR (RFC 4959), COMPRESS (RFC 4978), NOTIFY (RFC 5465), MOVE (RFC 6851),
// QRESYNC (RFC 7162) and LITERAL+ (RFC 7888). It parses commands, so their
// arguments may come in any order that the grammar allows.
package imaptest
