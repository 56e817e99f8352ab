package sink

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// The rival of syslog writes the same messages, which it has ready, over a connection for
// each batch, and waits for the receiver's end, too.
func init() {
	benches["syslog"] = func(b *testing.B) rivals {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, conn)
				conn.Close()
			}
		}()
		opened, err := Open(Config{Name: "s", Type: TypeSyslog, Remote: RemoteConfig{URL: "syslog://" + listener.Addr().String()}}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		s := opened.(*syslog)
		form, ready := s.form, make(map[string][]byte)
		return rivals{
			sink: s,
			bare: func(items []delivery.Item) error {
				conn, err := net.Dial("tcp", s.address)
				if err != nil {
					return err
				}
				defer conn.Close()
				w := bufio.NewWriterSize(conn, bareBuffer)
				for i := range items {
					message := ready[items[i].ID]
					if message == nil {
						message = form.append(nil, &items[i])
						ready[items[i].ID] = message
					}
					fmt.Fprintf(w, "%d ", len(message))
					_, _ = w.Write(message)
				}
				if err := w.Flush(); err != nil {
					return err
				}
				if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, conn)
				return err
			},
			end: func() { s.Close(); listener.Close() },
		}
	}
}
