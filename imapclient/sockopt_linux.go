package imapclient

import "syscall"

// userTimeout limits how long sent octets may stay unacknowledged (TCP_USER_TIMEOUT,
// in ms), so that a write notices a dead link too.
func userTimeout(_, _ string, conn syscall.RawConn) error {
	const tcpUserTimeout, ms = 0x12, 90_000
	return conn.Control(func(fd uintptr) {
		// If it is refused, the deadlines are still there.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, ms)
	})
}
