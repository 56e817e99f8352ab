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
)

const (
	maxFile = 1 << 30 // octets
	// maxProbe is in how many networks of a file what is wanted of it is looked
	// for, before it is taken for a file of another kind.
	maxProbe = 10_000
)

// database is an MMDB file. It is read into memory and not mapped: a file that
// is written over in place, and so cut short for a moment, would end the program
// at the next look into the mapping. lookup is for concurrent use; a nil
// database knows nothing.
type database struct {
	path   string
	wants  []want
	reader atomic.Pointer[maxminddb.Reader]
	info   fs.FileInfo // of the file that reader is of, from before it was read
}

// want is what a file is for: a key of Config, and what tells an entry that
// serves it.
type want struct {
	key string
	has func(maxminddb.Result) (bool, error)
}

var (
	wantsCountry = want{"country_file", func(r maxminddb.Result) (bool, error) {
		p, err := decode[place](r)
		return p.country() != "", err
	}}
	wantsASN = want{"asn_file", func(r maxminddb.Result) (bool, error) {
		s, err := decode[system](r)
		asn, _ := s.asn()
		return asn != 0, err
	}}
)

func decode[T any](r maxminddb.Result) (v T, err error) {
	err = r.Decode(&v)
	return v, err
}

// open reads a file; the error names the key and the file.
func open(path string, wants ...want) (*database, error) {
	d := &database{path: path, wants: wants}
	if err := d.load(); err != nil {
		return nil, d.wrap(err)
	}
	return d, nil
}

func (d *database) wrap(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		err = path.Err // the name is here already
	}
	return fmt.Errorf("enrich: %s: %s: %w", d.wants[0].key, d.path, err)
}

// refresh reads the file again where it is not the one that was read. Where that
// fails, the old one stays; the next refresh tries again.
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

// read reads a file that is one: not a device, nor a pipe, which could block.
func read(path string) (fs.FileInfo, []byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, nil, errors.New("not a plain file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.Size() > maxFile {
		return nil, nil, fmt.Errorf("longer than %d octets", maxFile)
	}
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, nil, fmt.Errorf("cut short while it was read: %w", err)
	}
	return info, data, nil
}

// probe tells whether the file has what is wanted of it: one of another kind
// would give nothing, and nobody would know why.
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
	return fmt.Errorf("a database of type %q, in whose first %d networks nothing is found for %s", reader.Metadata.DatabaseType, seen, w.key)
}

// lookup gives what is known of ip; of an address of IPv6 a file for IPv4 knows
// nothing.
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
