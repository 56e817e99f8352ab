package sink

import (
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// acknowledged waits until the other side has acknowledged all octets of conn, whose end
// was read. If the other side had closed it before they came, it has reset it.
func acknowledged(conn *net.TCPConn, timeout time.Duration) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	pause, until := time.Millisecond, time.Now().Add(timeout)
	for {
		reset, left := 0, 0
		var err1, err2 error
		err := raw.Control(func(fd uintptr) {
			reset, err1 = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR)
			left, err2 = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		})
		switch {
		case err != nil || err1 != nil || err2 != nil:
			return fmt.Errorf("state of the connection: %v, %v, %v", err, err1, err2)
		case reset != 0:
			return fmt.Errorf("%w: %w", errEarly, unix.Errno(reset))
		case left == 0:
			return nil
		case time.Now().After(until):
			return errStays
		}
		time.Sleep(pause)
		pause = min(2*pause, time.Second)
	}
}
