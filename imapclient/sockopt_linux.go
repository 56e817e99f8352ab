package imapclient

import "syscall"

// userTimeout bounds how long sent octets may stay unacknowledged
// (TCP_USER_TIMEOUT, in ms), so that a dead link is seen while we write too.
func userTimeout(_, _ string, conn syscall.RawConn) error {
	const tcpUserTimeout, ms = 0x12, 90_000
	return conn.Control(func(fd uintptr) {
		// Only a nicety: where it is refused, the deadlines still hold.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, ms)
	})
}
