package sink

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/recordtable"
)

// form is how a file holds records. Each takes one line in both forms: JSON escapes a
// newline, and recordtable.CSVRow leaves none in a value.
type form struct {
	csv  bool
	head string // the first line
}

func formOf(format string) form {
	if format != "csv" {
		return form{}
	}
	var head bytes.Buffer
	w := csv.NewWriter(&head)
	_ = w.Write(recordtable.CSVHead) // a Buffer takes it
	w.Flush()
	return form{csv: true, head: head.String()}
}

// lines appends the first n items to b. The error is about the one behind them, which
// is not readable.
func (m form) lines(b []byte, items []delivery.Item) (lines []byte, n int, err error) {
	if !m.csv {
		return ndjson(b, items), len(items), nil
	}
	out := bytes.NewBuffer(b)
	w := csv.NewWriter(out)
	for ; n < len(items); n++ {
		record, broken := items[n].Record()
		if broken != nil {
			err = broken
			break
		}
		_ = w.Write(recordtable.CSVRow(record)) // a Buffer takes it
	}
	w.Flush()
	return out.Bytes(), n, err
}

var (
	errNoLine = errors.New("it does not end in a line of records; name another file")
	errForm   = errors.New("it does not begin with a record as JSON; name another file, or rename this one")
	errHead   = errors.New("it does not begin with the columns that this version writes; name another file, or rename this one")
)

// whole returns how many of a file's octets are whole lines. What follows them is an
// incomplete record, or the zeros that a power failure leaves. If it is anything else,
// or the file does not begin as the form does, there is an error.
func whole(f io.ReaderAt, size int64, m form) (keep int64, err error) {
	start := make([]byte, min(size, int64(max(len(m.head), 1))))
	if _, err := f.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	switch {
	case len(start) == 0:
		return 0, nil
	case start[0] == 0: // a power failure before the first record
	case m.csv && !bytes.HasPrefix([]byte(m.head), start):
		return 0, errHead
	case !m.csv && start[0] != '{':
		return 0, errForm
	}
	keep, err = lastLine(f, size)
	if err != nil || keep == size || m.csv && start[0] != 0 {
		return keep, err
	}
	next := make([]byte, 1)
	if _, err := f.ReadAt(next, keep); err != nil {
		return 0, err
	}
	if next[0] != '{' && next[0] != 0 {
		return 0, errNoLine
	}
	return keep, nil
}

// lastLine returns the octets up to the last newline.
func lastLine(f io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for start := size; start > 0; {
		n := min(start, int64(len(buf)))
		start -= n
		if _, err := f.ReadAt(buf[:n], start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
	}
	return 0, nil
}
