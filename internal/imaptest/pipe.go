package imaptest

import (
	"io"
	"net"
	"sync"
	"time"
)

// duplex is one end of an in-memory connection of two net.Pipes, one for each
// direction. Unlike a net.Pipe it can be half closed.
type duplex struct {
	r, w net.Conn
}

func newDuplex() (client, server *duplex) {
	downClient, downServer := net.Pipe()
	upClient, upServer := net.Pipe()
	return &duplex{r: downClient, w: upClient}, &duplex{r: upServer, w: downServer}
}

func (d *duplex) Read(p []byte) (int, error)  { return d.r.Read(p) }
func (d *duplex) Write(p []byte) (int, error) { return d.w.Write(p) }
func (d *duplex) CloseWrite() error           { return d.w.Close() }

func (d *duplex) Close() error {
	d.r.Close()
	return d.w.Close()
}

func (d *duplex) LocalAddr() net.Addr                { return d.r.LocalAddr() }
func (d *duplex) RemoteAddr() net.Addr               { return d.r.RemoteAddr() }
func (d *duplex) SetReadDeadline(t time.Time) error  { return d.r.SetReadDeadline(t) }
func (d *duplex) SetWriteDeadline(t time.Time) error { return d.w.SetWriteDeadline(t) }

func (d *duplex) SetDeadline(t time.Time) error {
	d.r.SetReadDeadline(t)
	return d.w.SetWriteDeadline(t)
}

// pump reads ahead, as a socket's buffer does: the client can write while the server
// writes or does nothing.
type pump struct {
	chunks chan []byte // closed at the end of the stream
	rest   []byte
}

// newPump reads r until it fails or stop is closed.
func newPump(r io.Reader, stop <-chan struct{}, wg *sync.WaitGroup) *pump {
	p := &pump{chunks: make(chan []byte, 256)}
	wg.Go(func() {
		defer close(p.chunks)
		for {
			chunk := make([]byte, 4096)
			n, err := r.Read(chunk)
			if n > 0 {
				select {
				case p.chunks <- chunk[:n]:
				case <-stop:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	return p
}

// Read makes a pump the lower half of a TLS connection.
func (p *pump) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		chunk, ok := <-p.chunks
		if !ok {
			return 0, io.EOF
		}
		p.rest = chunk
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// pumped is a connection that is read through a pump.
type pumped struct {
	net.Conn
	in *pump
}

func (p pumped) Read(b []byte) (int, error) { return p.in.Read(b) }
