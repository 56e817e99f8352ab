//go:build unix

package plainfile

import "golang.org/x/sys/unix"

// access asks the system whether this process may write a file, or in a directory.
func access(path string, directory bool) error {
	mode := uint32(unix.W_OK)
	if directory {
		mode |= unix.X_OK
	}
	return unix.Access(path, mode)
}
