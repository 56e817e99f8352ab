package report

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// MaxLine is the limit of the line of a record, in octets, without its line break. Many
// programs read lines, or blocks, of at most a mebibyte.
const MaxLine = 1_000_000

const (
	spareLine = 100_000 // of MaxLine, for what a record gets after it was made
	maxSingle = 16_000  // octets, as JSON, of a single text in a record that is too long
)

// fit is the record without the values that its line has no room for: single texts
// of more than maxSingle octets, then the ends of lists. Its warnings say how many were
// left out. A record that fits is returned as it is.
func (r *Record) fit(limit int) Record {
	if len(r.appendJSON(nil)) <= limit {
		return *r
	}
	f := fitting{Record: *r}
	f.shorten(reflect.ValueOf(&f.Record).Elem())
	f.Derived = maps.Clone(r.Derived)
	maps.DeleteFunc(f.Derived, func(_, source string) bool { return f.isLong(source) })
	lists := []*[]string{&f.Supersedes, &f.Parse.Warnings}
	if s := f.Suppress; s != nil {
		lists = append(lists, &s.Reasons)
	}
	lists = append(lists, &f.AuthenticationResults, &f.ReportedDomain, &f.ReportedURI, &f.AuthFailure.SPFDNS)
	if o := f.Original; o != nil {
		lists = append(lists, &o.DKIMDomains, &o.ListUnsubscribe, &o.To)
	}
	full := make([][]string, len(lists))
	for i, list := range lists {
		full[i], *list = *list, nil
	}
	f.Extensions = nil

	const warning = 200 // octets of the warning, and of a list's key
	f.room = limit - len(f.appendJSON(nil)) - warning*(len(lists)+1)
	for i, list := range lists {
		*list = f.take(full[i])
	}
	f.takeExtensions(r.Extensions)
	if f.left > 0 {
		if limit == MaxLine-spareLine {
			limit = MaxLine
		}
		f.warn(fmt.Sprintf("record: longer than %d octets, %d values left out", limit, f.left))
	}
	return f.Record
}

// fitting is a record that is made shorter.
type fitting struct {
	Record
	room int // octets that its lists may still take
	left int // values that were left out
}

// isLong reports whether a single text is left out, and counts it.
func (f *fitting) isLong(s string) bool {
	long := len(s) > maxSingle/6 && len(appended(s)) > maxSingle
	if long {
		f.left++
	}
	return long
}

// shorten leaves out the long texts of v, and copies what v points to.
func (f *fitting) shorten(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if f.isLong(v.String()) {
			v.SetString("")
		}
	case reflect.Pointer:
		if !v.IsNil() {
			own := reflect.New(v.Type().Elem())
			own.Elem().Set(v.Elem())
			f.shorten(own.Elem())
			v.Set(own)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); field.CanSet() { // those of a time cannot be
				f.shorten(field)
			}
		}
	}
}

// take is what there is room for, of a list.
func (f *fitting) take(values []string) (kept []string) {
	for _, v := range values {
		n := len(v) + 3 // in JSON it is no shorter
		if n <= f.room {
			n = len(appended(v)) + 1
		}
		if n > f.room {
			f.left++
			continue
		}
		f.room -= n
		kept = append(kept, v)
	}
	return kept
}

func (f *fitting) takeExtensions(all map[string][]string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		key := len(appended(name)) + 4
		if key > f.room {
			f.left += len(all[name])
			continue
		}
		f.room -= key
		kept := f.take(all[name])
		if kept == nil {
			f.room += key
			continue
		}
		if f.Extensions == nil {
			f.Extensions = make(map[string][]string)
		}
		f.Extensions[name] = kept
	}
}

// warn adds a warning: something is missing.
func (rec *Record) warn(text string) {
	rec.Parse.Warnings = append(slices.Clip(rec.Parse.Warnings), text)
	if rec.Parse.Status == ParseOK {
		rec.Parse.Status = ParsePartial
	}
}

func copied[T any](v *T) *T {
	if v == nil {
		return nil
	}
	w := *v
	return &w
}

// appended is a text as JSON.
func appended(s string) []byte {
	b, _ := appendString(nil, s)
	return b
}
