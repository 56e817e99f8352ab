// Package privacy takes people out of records and kept messages before they are
// stored: addresses of recipients are hashed or dropped, and subjects dropped.
//
// A recipient is an address that the report names or that the reported message was
// sent to. It goes from every string in which it occurs, in any case of letters
// and encoded too: percent-encoding, quoted-printable, escapes of JSON and HTML,
// base64 (each up to twice), as part of a VERP or SRS address, with a +tag. Who
// sends the messages is no secret here and stays.
//
// Identifiers stay: report_id and id are of the message's bytes. The fingerprint
// is made of the recipient and anyone could try addresses on it, so it is keyed,
// or dropped where there is no key.
package privacy

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/fblwatch/fblwatch/internal/plainfile"
	"github.com/fblwatch/fblwatch/report"
)

const (
	keep = "keep"
	hash = "hash"
	drop = "drop"

	minKey = 16      // octets
	maxKey = 4 << 10 // octets

	redacted = "redacted" // what a reader knows as a placeholder
)

// Config says what to keep; the zero value keeps everything.
type Config struct {
	Addresses string `yaml:"addresses"` // keep, hash or drop
	Subject   string `yaml:"subject"`   // keep or drop
	// KeyFile holds the key of the hashes, 16 octets or more, a secret; white
	// space at its ends does not count. With another key the same person has
	// another hash.
	KeyFile string `yaml:"key_file"`
}

// Validate checks the values; it does not open the key's file.
func (c Config) Validate() error {
	switch c.Addresses {
	case "", keep, drop:
	case hash:
		if c.KeyFile == "" {
			return errors.New("addresses: hash needs a key_file")
		}
	default:
		return errors.New("addresses is none of keep, hash, drop")
	}
	switch c.Subject {
	case "", keep, drop:
		return nil
	}
	return errors.New("subject is neither keep nor drop")
}

// Filter takes people out. It is for concurrent use; a nil Filter keeps
// everything.
type Filter struct {
	addresses, subject string
	key                []byte
}

// New reads the key; it returns nil where there is nothing to do.
func New(c Config) (*Filter, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("privacy: %w", err)
	}
	f := &Filter{addresses: c.Addresses, subject: c.Subject}
	if f.addresses != hash && f.addresses != drop && f.subject != drop {
		return nil, nil
	}
	if c.KeyFile != "" {
		key, err := readKey(c.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("privacy: key_file: %w", err)
		}
		f.key = key
	}
	return f, nil
}

// Hashes is a Filter that hashes addresses with the key of a file.
func Hashes(keyFile string) (*Filter, error) {
	key, err := readKey(keyFile)
	if err != nil {
		return nil, err
	}
	return &Filter{addresses: hash, key: key}, nil
}

func readKey(path string) ([]byte, error) {
	key, err := plainfile.Read(context.Background(), path, maxKey)
	if err != nil {
		return nil, err
	}
	if key = bytes.TrimSpace(key); len(key) < minKey {
		return nil, fmt.Errorf("%s: a key of %d octets, fewer than %d", path, len(key), minKey)
	}
	return key, nil
}

func (f *Filter) hidesAddresses() bool { return f.addresses == hash || f.addresses == drop }

// Records filters all records of one report, which may name each other's
// recipients. What they share with the Report, or with each other, is copied
// first. It comes last: identity and verdict need the addresses. tokens are
// addresses of people whom the report does not name, but some token of the
// reported message does. A complainant who was named is hashed, and rcpt_hash has
// the hash; where addresses are dropped, there is a token or none.
func (f *Filter) Records(records []report.Record, tokens ...string) {
	if f == nil {
		return
	}
	var known people
	known.addAll(tokens)
	for i := range records {
		known.ofRecord(&records[i])
	}
	var subjects []string
	for _, rec := range records {
		if o := rec.Original; f.subject == drop && o != nil && !slices.Contains(subjects, o.Subject) {
			subjects = append(subjects, o.Subject)
		}
	}
	s := f.scrubber(&known, subjects...)
	all := &copier{change: s.string}
	for i := range records {
		f.record(&records[i], all)
	}
}

func (f *Filter) record(rec *report.Record, all *copier) {
	id, reportID, supersedes, fingerprint, rcpt, rcptHash := rec.ID, rec.ReportID, rec.Supersedes, rec.Fingerprint, rec.OriginalRcptTo, rec.RcptHash
	box := rec.Mailbox
	*rec = all.copyOf(reflect.ValueOf(*rec)).Interface().(report.Record)
	rec.ID, rec.ReportID, rec.Supersedes, rec.Fingerprint, rec.RcptHash = id, reportID, supersedes, fingerprint, rcptHash
	if rec.Mailbox != nil { // names that the user gave
		rec.Mailbox.Account, rec.Mailbox.Folder = box.Account, box.Folder
	}
	if f.subject == drop {
		dropSubjects(rec)
	}
	if !f.hidesAddresses() {
		return
	}
	if f.addresses == drop {
		dropAddresses(rec)
	} else if rcpt != "" {
		rec.RcptHash = report.Redact(f.key, cmp.Or(canonical(rcpt), rcpt))
	}
	if rec.OriginalRcptTo = ""; rec.Complainant == report.Named {
		switch {
		case rec.RcptHash != "":
			rec.Complainant = report.Hashed
		case rec.Identity != nil && rec.Identity.Subscriber != "":
			rec.Complainant = report.Token
		default:
			rec.Complainant = report.NoOne
		}
	}
	if rec.Fingerprint = ""; f.key != nil && fingerprint != "" {
		mac := hmac.New(sha256.New, f.key)
		mac.Write([]byte(fingerprint))
		rec.Fingerprint = hex.EncodeToString(mac.Sum(nil)[:16])
	}
}

// dropAddresses takes out of the keys for addresses what is left of them.
func dropAddresses(rec *report.Record) {
	if o := rec.Original; o != nil {
		var to []string
		for _, member := range o.To {
			if !strings.Contains(member, redacted) {
				to = append(to, member)
			}
		}
		o.To = to
	}
	i := rec.Identity
	if i == nil || !strings.Contains(i.Subscriber, redacted) {
		return
	}
	i.Subscriber, i.Status = "", report.Unidentified
	i.By = maps.Clone(i.By) // others share it
	if delete(i.By, "subscriber"); i.Campaign+i.Tenant+i.MessageID != "" {
		i.Status = report.PartlyIdentified
	}
}

func dropSubjects(rec *report.Record) {
	if rec.Original != nil {
		rec.Original.Subject = ""
	}
	for name := range rec.Extensions {
		if name == "subject" || strings.HasSuffix(name, ".subject") || strings.HasSuffix(name, "-subject") {
			delete(rec.Extensions, name)
		}
	}
}

// A copier makes deep copies with every string, and every key of a map, gone
// through change. What several values share, their copies share: the records of
// a report may have thousands of recipients in common.
type copier struct {
	change func(string) string
	known  map[shared]copied
}

type shared struct {
	at     unsafe.Pointer
	length int
	of     reflect.Type
}

// copied holds the original too: while it does, nothing else has its address.
type copied struct{ original, copy reflect.Value }

func (c *copier) copyOf(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.String:
		changed := reflect.New(v.Type()).Elem()
		changed.SetString(c.change(v.String()))
		return changed
	case reflect.Pointer, reflect.Slice, reflect.Map:
		if v.IsNil() {
			return v
		}
		place := shared{at: v.UnsafePointer(), of: v.Type()}
		if v.Kind() == reflect.Slice {
			place.length = v.Len()
		}
		if known, ok := c.known[place]; ok {
			return known.copy
		}
		changed := c.contents(v)
		if c.known == nil {
			c.known = make(map[shared]copied)
		}
		c.known[place] = copied{v, changed}
		return changed
	case reflect.Struct:
		changed := reflect.New(v.Type()).Elem()
		changed.Set(v)
		for i := range v.NumField() {
			if changed.Field(i).CanSet() { // not those of time.Time
				changed.Field(i).Set(c.copyOf(v.Field(i)))
			}
		}
		return changed
	}
	return v
}

// contents copies what a pointer, slice or map holds.
func (c *copier) contents(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Slice:
		changed := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			changed.Index(i).Set(c.copyOf(v.Index(i)))
		}
		return changed
	case reflect.Map:
		changed := reflect.MakeMapWithSize(v.Type(), v.Len())
		for name, value := range v.Seq2() {
			changed.SetMapIndex(c.copyOf(name), c.copyOf(value))
		}
		return changed
	}
	changed := reflect.New(v.Type().Elem())
	changed.Elem().Set(c.copyOf(v.Elem()))
	return changed
}

// Head filters the start of a message that is kept, of which r was read. Reading
// the result again gives hashed recipients, or none; its report_id is another,
// and the one of r holds. tokens are as in Records. It is nil where people
// cannot be looked for within the bounds of work.
func (f *Filter) Head(head []byte, r *report.Report, tokens ...string) []byte {
	if f == nil {
		return head
	}
	var known people
	known.addAll(tokens)
	known.ofReport(r)
	var subjects []string
	subject := ""
	if f.subject == drop {
		for _, one := range append([]*report.Report{r}, r.More...) {
			if o := one.Original; o != nil {
				subject = cmp.Or(subject, o.Subject)
				subjects = append(subjects, o.Subject)
			}
		}
	}
	s := f.scrubber(&known, subjects...)
	if f.subject != drop {
		hidden, ok := s.all(string(head))
		if !ok {
			return nil
		}
		return []byte(hidden)
	}
	end := headerEnd(head)
	outer, ok := s.outer(string(head[:end]), r.Outer.Subject, subject)
	s.subjects = true
	rest, well := s.all(string(head[end:]))
	if !ok || !well {
		return nil
	}
	return []byte(outer + rest)
}

// headerEnd is where the last line of a header ends, which a blank line follows; the
// end of the message where none does.
func headerEnd(head []byte) int {
	for i := 0; ; i++ {
		line := bytes.IndexByte(head[i:], '\n')
		if line < 0 {
			return len(head)
		}
		i += line
		if rest := head[i+1:]; bytes.HasPrefix(rest, []byte("\n")) || bytes.HasPrefix(rest, []byte("\r\n")) {
			if i > 0 && head[i-1] == '\r' {
				i--
			}
			return i
		}
	}
}
