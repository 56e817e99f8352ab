package imaptest

import (
	"compress/flate"
	"net"
)

// compress is RFC 4978. The stream changes after the tagged answer.
func (c *session) compress(args []arg) (string, error) {
	if len(args) != 1 || args[0].upper() != "DEFLATE" {
		return "BAD COMPRESS wants DEFLATE", nil
	}
	if c.deflated {
		return "NO [COMPRESSIONACTIVE] it is on", nil
	}
	return "OK DEFLATE active", nil
}

func (c *session) startDeflate() {
	w, err := flate.NewWriter(c.conn, flate.DefaultCompression)
	check(err)
	c.in = newPump(flate.NewReader(c.in), c.stop, &c.pumps)
	c.conn, c.deflated = deflated{c.conn, w}, true
}

// deflated flushes each write, so that the client gets it at once.
type deflated struct {
	net.Conn
	w *flate.Writer
}

func (d deflated) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err == nil {
		err = d.w.Flush()
	}
	return n, err
}
