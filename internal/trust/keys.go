package trust

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// Resolver asks the DNS for TXT records; *net.Resolver is one. It must return
// when ctx is done. That there is no such name is a *net.DNSError with
// IsNotFound set, or no record; any other error counts as temporary.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// SystemResolver is this machine's. Its names are absolute: one of the search list in
// resolv.conf holds no keys: somebody else may have names below it.
func SystemResolver() Resolver { return absolute{net.DefaultResolver} }

type absolute struct{ Resolver }

func (a absolute) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return a.Resolver.LookupTXT(ctx, strings.TrimSuffix(name, ".")+".")
}

var (
	errNoKey       = errors.New("signature: its key is not in the DNS")
	errKey         = errors.New("signature: its key cannot be used")
	errTesting     = errors.New("signature: its key is for testing, and proves nothing")
	errUnavailable = errors.New("signature: the DNS does not give its key")
)

// How long an answer is kept, and how many. A failed one is kept too: a
// resolver that is down must not cost its time limit once a message.
const (
	keepKey     = time.Hour
	keepNoKey   = 5 * time.Minute
	keepFailure = 30 * time.Second
	maxKeys     = 1024
	maxRecords  = 5 // of one name
)

// A resolver that does not answer maxLost questions in a row is left alone for
// keepSilence. Until it has answered one, each gets no more than probeTime.
const (
	maxLost     = 3
	keepSilence = time.Minute
	probeTime   = 2 * time.Second
)

// keys looks up the key of a signature, and keeps the answers. Of all that look
// for one name at the same time one asks. It is safe for concurrent use.
type keys struct {
	resolver Resolver
	now      func() time.Time

	mu     sync.Mutex
	cached map[string]answer
	asking map[string]chan struct{} // by name; closed when there is an answer, or none

	// Of the names of known reporters, and of all others: messages with names that no
	// server answers for do not delay the keys of the former.
	known, others silence
}

type answer struct {
	keys  []publicKey // one at least, or err
	err   error
	until time.Time
}

// silence is what is known of questions that got no answer.
type silence struct {
	lost   int       // in a row
	until  time.Time // no question before that
	proven bool      // there was an answer since
}

func newKeys(resolver Resolver, now func() time.Time) *keys {
	return &keys{resolver: resolver, now: now, cached: make(map[string]answer), asking: make(map[string]chan struct{})}
}

// lookup gives the keys of that name, not to be changed; or one of the errors
// above. known: it is the name of a reporter that is known.
func (k *keys) lookup(ctx context.Context, name string, known bool) ([]publicKey, error) {
	if len(name) > 253 {
		return nil, errNoKey
	}
	s := &k.others
	if known {
		s = &k.known
	}
	for ctx.Err() == nil {
		a, busy := k.at(name, s)
		if a != nil {
			return a.keys, a.err
		}
		if busy == nil {
			return k.ask(ctx, name, s)
		}
		select {
		case <-busy:
		case <-ctx.Done():
		}
	}
	return nil, errUnavailable
}

// at gives the answer that is at hand; or what is closed when another one who
// asks is done; or neither: it is for the caller to ask.
func (k *keys) at(name string, s *silence) (*answer, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if a, found := k.cached[name]; found && now.Before(a.until) {
		return &a, nil
	}
	if busy := k.asking[name]; busy != nil {
		return nil, busy
	}
	if now.Before(s.until) {
		return &answer{err: errUnavailable}, nil
	}
	k.asking[name] = make(chan struct{})
	return nil, nil
}

func (k *keys) ask(ctx context.Context, name string, s *silence) ([]publicKey, error) {
	k.mu.Lock()
	limit := maxTimeout
	if !s.proven {
		limit = probeTime
	}
	k.mu.Unlock()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	records, err := k.resolver.LookupTXT(limited, name)
	a, keep, lost := answer{}, keepFailure, false
	var dns *net.DNSError
	switch isDNS := errors.As(err, &dns); {
	case err == nil:
		a.keys, a.err = readKeys(records)
	case isDNS && dns.IsNotFound:
		a.err = errNoKey
	default:
		a.err = errUnavailable
		lost = limited.Err() != nil || isDNS && dns.IsTimeout
	}
	switch a.err {
	case nil:
		keep = keepKey
	case errNoKey, errKey, errTesting:
		keep = keepNoKey
	}

	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.asking[name])
	delete(k.asking, name)
	if errors.Is(ctx.Err(), context.Canceled) {
		return a.keys, a.err // the caller gave up; that says nothing of the DNS
	}
	now := k.now()
	if !lost {
		*s = silence{proven: true}
	} else if s.lost++; s.lost >= maxLost {
		*s = silence{until: now.Add(keepSilence)}
	}
	a.until = now.Add(keep)
	if len(k.cached) >= maxKeys {
		k.makeRoom()
	}
	k.cached[name] = a
	return a.keys, a.err
}

// makeRoom drops what is out of date; or, where nothing is, any one answer.
func (k *keys) makeRoom() {
	one := ""
	for name, a := range k.cached {
		if one = name; !k.now().Before(a.until) {
			delete(k.cached, name)
		}
	}
	if len(k.cached) >= maxKeys {
		delete(k.cached, one)
	}
}

// publicKey is what a key's TXT record holds (RFC 6376 section 3.6.1; Ed25519:
// RFC 8463): one of the two.
type publicKey struct {
	rsa     *rsa.PublicKey // of 1,024 to 4,096 bits (RFC 8301 section 3.2)
	ed25519 ed25519.PublicKey
	strict  bool // t=s: not for a domain below
}

// readKeys reads the TXT records of one name. What several mean is undefined (RFC
// 6376 section 3.6.2.2): each that is a key counts, unless one says that the key
// is revoked.
func readKeys(records []string) (keys []publicKey, err error) {
	if len(records) > maxRecords {
		return nil, errKey
	}
	err = errNoKey
	for i, record := range records {
		key, wrong := readKey(record)
		switch {
		case wrong == nil:
			keys = append(keys, *key)
		case wrong == errNoKey:
			return nil, errNoKey
		case i == 0 || wrong == errTesting:
			err = wrong
		}
	}
	if len(keys) > 0 {
		err = nil
	}
	return keys, err
}

// readKey reads a TXT record: errNoKey where it is revoked, errTesting where
// what it signs counts as unsigned, errKey where it is no key for SHA-256 and
// for message.
func readKey(record string) (*publicKey, error) {
	tags, ok := readTags(record)
	p, there := tags["p"]
	flags := strings.Split(tags["t"], ":")
	switch {
	case !ok || !there, !allows(tags, "v", "DKIM1"), !allows(tags, "s", "*", "email"), !allows(tags, "h", "sha256"):
		return nil, errKey
	case p == "":
		return nil, errNoKey
	case slices.Contains(flags, "y"):
		return nil, errTesting
	}
	key, err := readPublic(tags["k"], p)
	if err == nil {
		key.strict = slices.Contains(flags, "s")
	}
	return key, err
}

// lenient gives the keys that may sign for a domain below their own.
func lenient(keys []publicKey) (list []publicKey) {
	for _, key := range keys {
		if !key.strict {
			list = append(list, key)
		}
	}
	return list
}

// allows reports whether a list names one of values; one that is not there
// allows all.
func allows(tags map[string]string, name string, values ...string) bool {
	list, there := tags[name]
	return !there || slices.ContainsFunc(strings.Split(list, ":"), func(v string) bool { return slices.Contains(values, v) })
}

func readPublic(kind, p string) (*publicKey, error) {
	public, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		return nil, errKey
	}
	switch kind {
	case "ed25519":
		if len(public) == ed25519.PublicKeySize {
			return &publicKey{ed25519: public}, nil
		}
	case "rsa", "":
		var key *rsa.PublicKey
		if pkix, err := x509.ParsePKIXPublicKey(public); err == nil {
			key, _ = pkix.(*rsa.PublicKey)
		} else {
			key, _ = x509.ParsePKCS1PublicKey(public)
		}
		if key != nil && key.N.BitLen() >= 1024 && key.N.BitLen() <= 4096 {
			return &publicKey{rsa: key}, nil
		}
	}
	return nil, errKey
}
