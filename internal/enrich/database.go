package enrich

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"sync/atomic"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/fblwatch/fblwatch/internal/plainfile"
)

const (
	maxFile = 1 << 30 // octets
	// maxProbe is how many networks of a file are searched for the wanted data. If
	// none has it, the file is of another kind.
	maxProbe = 10_000
)

// database is an MMDB file. It is read into memory and not mapped: if the file were
// overwritten in place, and so short for a moment, the next read of the mapping would
// end the program. lookup is for concurrent use. A nil database knows nothing.
type database struct {
	path   string
	wants  []want
	reader atomic.Pointer[maxminddb.Reader]
	info   fs.FileInfo // of reader's file, from before it was read
}

// want is a purpose of a file: a key of Config, and a test whether an entry serves it.
type want struct {
	key string
	has func(maxminddb.Result) (bool, error)
}

var (
	wantsCountry = want{"country_file", func(r maxminddb.Result) (bool, error) {
		l, err := decode[location](r)
		return l.country() != "", err
	}}
	wantsASN = want{"asn_file", func(r maxminddb.Result) (bool, error) {
		n, err := decode[network](r)
		asn, _ := n.asn()
		return asn != 0, err
	}}
)

func decode[T any](r maxminddb.Result) (v T, err error) {
	err = r.Decode(&v)
	return v, err
}

// open reads a file. The error names the key and the file.
func open(path string, wants ...want) (*database, error) {
	d := &database{path: path, wants: wants}
	if err := d.load(); err != nil {
		return nil, d.wrap(err)
	}
	return d, nil
}

func (d *database) wrap(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err // the path is added below
	}
	return fmt.Errorf("enrich: %s: %s: %w", d.wants[0].key, d.path, err)
}

// refresh reads the file again if it has changed. If that fails, the data read before
// stay in use, and the next refresh tries again.
func (d *database) refresh() error {
	if d == nil {
		return nil
	}
	info, err := os.Stat(d.path)
	if err == nil && os.SameFile(info, d.info) && info.ModTime().Equal(d.info.ModTime()) && info.Size() == d.info.Size() {
		return nil
	}
	if err == nil {
		err = d.load()
	}
	if err != nil {
		return fmt.Errorf("%w; the file read before stays in use", d.wrap(err))
	}
	return nil
}

func (d *database) load() error {
	info, data, err := read(d.path)
	if err != nil {
		return err
	}
	reader, err := maxminddb.OpenBytes(data)
	if err != nil {
		return fmt.Errorf("not a whole MMDB file: %w", err)
	}
	for _, want := range d.wants {
		if err := want.probe(reader); err != nil {
			return err
		}
	}
	d.info = info
	d.reader.Store(reader)
	return nil
}

// read reads a plain file.
func read(path string) (fs.FileInfo, []byte, error) {
	file, info, err := plainfile.Open(path)
	if errors.Is(err, plainfile.ErrNotPlain) {
		return nil, nil, plainfile.ErrNotPlain // wrap has the path
	} else if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	if info.Size() > maxFile {
		return nil, nil, fmt.Errorf("longer than %d octets", maxFile)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, nil, fmt.Errorf("cut short while it was read: %w", err)
	}
	return info, data, nil
}

// probe returns an error if the file does not hold the wanted data: a file of another
// kind would silently give nothing.
func (w want) probe(reader *maxminddb.Reader) error {
	seen := 0
	for network := range reader.Networks() {
		has, err := w.has(network)
		if err != nil {
			return fmt.Errorf("an entry cannot be read: %w", err)
		}
		if has {
			return nil
		}
		if seen++; seen == maxProbe {
			break
		}
	}
	return fmt.Errorf("a database of type %q, whose first %d networks hold nothing for %s", reader.Metadata.DatabaseType, seen, w.key)
}

// lookup returns what the database holds about ip. A file for IPv4 holds nothing about
// an IPv6 address.
func lookup[T any](d *database, ip netip.Addr) (none T) {
	if d == nil {
		return none
	}
	v, err := decode[T](d.reader.Load().Lookup(ip))
	if err != nil {
		return none
	}
	return v
}
