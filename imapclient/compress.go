package imapclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/klauspost/compress/flate"

	"github.com/fblwatch/fblwatch/callbacks"
)

// compress asks for COMPRESS. A server that refuses goes on without.
func (s *setup) compress() error {
	if !s.Has("COMPRESS=DEFLATE") || s.opts.Compress == CompressOff || s.opts.Compress == CompressAuto && !isPublic(s.wire.raw) {
		return nil
	}
	st, err := s.command("COMPRESS DEFLATE", "COMPRESS DEFLATE", nil)
	if err != nil {
		return err
	}
	if st.kind != "OK" {
		s.Client.log(callbacks.Info, "no COMPRESS: server said "+st.kind+" "+st.text)
		return nil
	}
	s.wire.deflate()
	return nil
}

// isPublic reports whether the other end is outside of private networks.
func isPublic(conn net.Conn) bool {
	a, ok := conn.RemoteAddr().(*net.TCPAddr)
	return ok && a.IP.IsGlobalUnicast() && !a.IP.IsPrivate()
}

// deflate starts DEFLATE (RFC 1951) in both directions. Octets that have been read
// after the answer to COMPRESS belong to it.
//
// Lines and literals are measured after decompression, so that their limits hold.
// What we send is short: a writer without state costs a few octets a command, and
// no memory.
func (w *wire) deflate() {
	w.r = bufio.NewReaderSize(&inflater{w, flate.NewReaderOpts(w.r, flate.WithPartialBlock())}, inflateBuffer)
	w.packed = new(bytes.Buffer)
}

const (
	inflateBuffer = 16 << 10 // octets, beside the wire's own buffer

	// DEFLATE can make a thousand octets of one, and each costs time: four million
	// octets of a server must not keep a processor busy with four thousand million.
	// A message may be as dense (runs of blanks, zeros in base64), but bodies that
	// were asked for do not count here, nor do the first inflateFree octets. The rest
	// is lines, which grow ten or twenty times, and the bodies of servers that send
	// more than was asked for.
	inflateFree = 128 << 20
	inflateMost = 100
)

// inflater counts the octets of a flate.Reader, which returns what there is after
// each block, because servers flush in more than one way. It ends with the
// connection: a few octets in its buffer may become a thousand times as many.
type inflater struct {
	w *wire
	r io.Reader
}

func (i *inflater) Read(p []byte) (int, error) {
	if cause := i.w.ended(); cause != nil {
		return 0, cause
	}
	n, err := i.r.Read(p)
	if over := i.w.inflated.Add(int64(n)) - i.w.paid; over > inflateFree+inflateMost*i.w.in.Load() {
		return 0, fmt.Errorf("%w: COMPRESS: %d octets came to %d that were not asked for, over %d times as many", ErrProtocol, i.w.in.Load(), over, inflateMost)
	}
	if corrupt := flate.CorruptInputError(0); errors.As(err, &corrupt) {
		err = fmt.Errorf("%w: COMPRESS: %v", ErrProtocol, err)
	}
	return n, err
}
