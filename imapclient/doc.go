// Package imapclient is one IMAP session (RFC 9051, and servers of RFC 3501). It
// reads mailboxes, waits for new messages, and changes flags. A server that hangs,
// sends nonsense or closes the connection ends a call with an error, never with a
// hang or a panic. A [callbacks.Handler] receives every event of the session.
//
// [Dial] opens a session. [Client.Examine] opens a mailbox, [Client.Search] and
// [Client.Fetch] read it, [Client.Idle] waits for new messages.
//
// A [Client] has one owner: use it from one goroutine at a time. Handlers run on
// the owner's goroutine, while a method of the Client waits. All methods end when
// their context is done; the session ends with it. Every wait has a limit of its
// own too, see [Timeouts].
//
// Inside, the package does the greeting, STARTTLS and authentication itself. Then
// it runs go-imap on a connection of its own, the tap. The tap splits the server's
// lines, turns them into events in wire order, keeps from go-imap what would make
// it close the connection, and enforces the limits.
//
// The package implements RFC 9051 (IMAP4rev2), RFC 3501 (IMAP4rev1), RFC 2087 and
// 9208 (QUOTA), RFC 2177 (IDLE), RFC 2342 (NAMESPACE), RFC 2971 (ID), RFC 4315
// (UIDPLUS), RFC 4422 (EXTERNAL), RFC 4616 (PLAIN), RFC 4959 (SASL-IR), RFC 4978
// (COMPRESS), RFC 5161 (ENABLE), RFC 5465 (NOTIFY), RFC 5530 (response codes), RFC
// 6851 (MOVE), RFC 7162 (QRESYNC), RFC 7628 (OAUTHBEARER) and RFC 8314 (implicit
// TLS).
package imapclient
