//go:build !linux

package imapclient

import "syscall"

// userTimeout does nothing where there is no TCP_USER_TIMEOUT.
func userTimeout(_, _ string, _ syscall.RawConn) error { return nil }
