// Package realserver starts real IMAP servers on the loopback for tests:
// [Dovecot], the other [Families], and the [Others]. Each ends with its test. If a
// server is not installed, the test is skipped. With CI=true it fails, except for
// one of the Others.
package realserver
