// Package imapclient is one IMAP session (RFC 9051, and RFC 3501 servers) that
// neither hangs nor dies of what servers send, and tells every event of it to
// a [callbacks.Handler].
//
// It speaks greeting, STARTTLS and authentication itself, then runs go-imap
// over a connection of its own, the tap, that frames every line, takes the
// events out in wire order, keeps from go-imap what it would close the
// connection on, and holds every wait to a deadline.
//
// A Client has one owner: it is not for concurrent use. Handlers run on the
// owner's goroutine, while one of the Client's methods waits.
//
// RFC 9051 (IMAP4rev2), RFC 3501 (IMAP4rev1), RFC 2087 (QUOTA), RFC 2177 (IDLE),
// RFC 2342 (NAMESPACE), RFC 2971 (ID), RFC 4422 (EXTERNAL), RFC 4616 (PLAIN), RFC
// 4959 (SASL-IR), RFC 4978 (COMPRESS), RFC 5161 (ENABLE), RFC 5465 (NOTIFY), RFC
// 5530 (response codes), RFC 7162 (QRESYNC), RFC 7628 (OAUTHBEARER), RFC 8314
// (implicit TLS).
package imapclient
