package imaptest

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// rawTimeout bounds every wait for an answer.
const rawTimeout = time.Minute

// rawBuffer is the size of the reads that RawFetch counts, in octets.
const rawBuffer = 64 << 10

// RawConn is a client that reads and writes lines. A literal is lines like any
// other.
type RawConn struct {
	net.Conn
	r    *bufio.Reader
	name string // what every tag begins with
	tag  int
}

// NewRaw makes a client of a connection. Its first line is the greeting.
func NewRaw(conn net.Conn) *RawConn {
	// No message can hold a line that looks like such a tag.
	return &RawConn{Conn: conn, r: bufio.NewReaderSize(conn, rawBuffer), name: rand.Text()}
}

// DialRaw connects to an address without TLS, and logs in.
func DialRaw(addr, user, password string) (*RawConn, error) {
	conn, err := net.DialTimeout("tcp", addr, rawTimeout)
	if err != nil {
		return nil, err
	}
	c := NewRaw(conn)
	if err = c.must("LOGIN " + quote(user) + " " + quote(password)); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// Line reads one line, without its CRLF.
func (c *RawConn) Line() (string, error) {
	line, err := c.r.ReadString('\n')
	return strings.TrimSpace(line), err
}

// send sends a command and returns its tag with a blank.
func (c *RawConn) send(command string) (string, error) {
	c.tag++
	tag := fmt.Sprintf("%s%d ", c.name, c.tag)
	c.SetDeadline(time.Now().Add(rawTimeout))
	_, err := c.Write([]byte(tag + command + "\r\n"))
	return tag, err
}

// Ask sends a command and returns the lines of the answer. The last is the tagged
// one, without its tag.
func (c *RawConn) Ask(command string) (lines []string, err error) {
	tag, err := c.send(command)
	for err == nil {
		var line string
		line, err = c.Line()
		if answer, ok := strings.CutPrefix(line, tag); ok {
			return append(lines, answer), nil
		}
		lines = append(lines, line)
	}
	return nil, err
}

func (c *RawConn) must(command string) error {
	lines, err := c.Ask(command)
	if err == nil && !strings.HasPrefix(lines[len(lines)-1], "OK") {
		verb, _, _ := strings.Cut(command, " ")
		err = fmt.Errorf("imaptest: %s: %s", verb, lines[len(lines)-1])
	}
	return err
}

// Append sends a message by APPEND, with a literal that every server takes, and
// returns the tagged answer without its tag.
func (c *RawConn) Append(folder string, message []byte) (string, error) {
	tag, err := c.send(fmt.Sprintf("APPEND %s () {%d}", quote(folder), len(message)))
	for err == nil {
		var line string
		line, err = c.Line()
		if answer, ok := strings.CutPrefix(line, tag); ok {
			return answer, nil
		}
		if strings.HasPrefix(line, "+") {
			_, err = c.Write(slices.Concat(message, []byte("\r\n")))
		}
	}
	return "", err
}

// RawFetch does the least that any client must do to read a folder. It logs in
// without TLS, opens folder, and asks for the UID, INTERNALDATE, RFC822.SIZE and
// first n octets of every message in one FETCH. It only counts the octets of the
// answer. Its time is the best that a client can reach.
func RawFetch(addr, user, password, folder string, n int) (octets int64, err error) {
	c, err := DialRaw(addr, user, password)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.must("EXAMINE " + quote(folder)); err != nil {
		return 0, err
	}
	tag, err := c.send(fmt.Sprintf("UID FETCH 1:* (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.%d>)", n))
	if err != nil {
		return 0, err
	}
	end := []byte("\r\n" + tag)
	buf := make([]byte, rawBuffer)
	keep := 0 // octets at the start of buf that may begin the last line
	for {
		c.SetReadDeadline(time.Now().Add(rawTimeout))
		got, err := c.Read(buf[keep:])
		if err != nil {
			return octets, err
		}
		octets += int64(got)
		// The tagged line comes last, so look only at a tail that ends in
		// CRLF.
		tail := buf[max(0, keep+got-512) : keep+got]
		if at := bytes.LastIndex(tail, end); at >= 0 && bytes.HasSuffix(tail, []byte("\r\n")) {
			if answer := tail[at+len(end):]; !bytes.HasPrefix(answer, []byte("OK")) {
				return octets, fmt.Errorf("imaptest: FETCH: %s", bytes.TrimSpace(answer))
			}
			return octets, nil
		}
		keep = copy(buf, tail)
	}
}

// Arrival is an EXISTS line, and the time when it was read.
type Arrival struct {
	N  uint32
	At time.Time
}

// IdleReader waits in IDLE and notes the time of each EXISTS.
type IdleReader struct {
	Arrivals <-chan Arrival // closed when the connection ends

	conn *RawConn
	wg   sync.WaitGroup
}

// RawIdle logs in without TLS, opens folder and starts IDLE.
func RawIdle(addr, user, password, folder string) (*IdleReader, error) {
	c, err := DialRaw(addr, user, password)
	if err != nil {
		return nil, err
	}
	if err = c.must("EXAMINE " + quote(folder)); err == nil {
		_, err = c.send("IDLE")
	}
	for line := ""; err == nil && !strings.HasPrefix(line, "+"); {
		line, err = c.Line()
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	c.SetDeadline(time.Time{})
	arrivals := make(chan Arrival, 1024)
	idle := &IdleReader{Arrivals: arrivals, conn: c}
	idle.wg.Go(func() {
		defer close(arrivals)
		for {
			line, err := c.Line()
			at := time.Now()
			if err != nil {
				return
			}
			if words := strings.Fields(line); len(words) == 3 && words[2] == "EXISTS" {
				if n, err := strconv.ParseUint(words[1], 10, 32); err == nil {
					arrivals <- Arrival{uint32(n), at}
				}
			}
		}
	})
	return idle, nil
}

// Close ends the connection and waits for the reader.
func (r *IdleReader) Close() error {
	err := r.conn.Close()
	for range r.Arrivals {
	}
	r.wg.Wait()
	return err
}
