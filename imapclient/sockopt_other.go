//go:build !linux

package imapclient

import "syscall"

// userTimeout does nothing: there is no TCP_USER_TIMEOUT here.
func userTimeout(_, _ string, _ syscall.RawConn) error { return nil }
