// Package realserver starts real IMAP servers on the loopback for tests:
// [Dovecot], [Cyrus], [Courier] and the [Others]. Each ends with its test. Where
// a server is not installed, the test is skipped. With CI=true it fails, except
// for one of the Others.
package realserver
