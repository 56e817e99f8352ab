// Package rule matches records against the conditions of a config: exact values,
// patterns, networks, regular expressions and lists in files, over any key of a record.
package rule

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/nearest"
	"github.com/fblwatch/fblwatch/report"
)

// field leads to the values of a record's key.
type field struct {
	index []int  // see reflect.Value.FieldByIndex
	name  string // the key of a map there; empty: it is no map
}

var recordType = reflect.TypeFor[report.Record]()

// fields has every key of a record, such as original.subject. A map's keys end in a dot.
var fields = sync.OnceValue(func() map[string]field { return fieldsOf(recordType, "", nil) })

func fieldsOf(t reflect.Type, prefix string, index []int) map[string]field {
	known := make(map[string]field)
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at := append(slices.Clip(index), i)
		below := f.Type
		if below.Kind() == reflect.Pointer {
			below = below.Elem()
		}
		switch {
		case f.Anonymous:
			maps.Copy(known, fieldsOf(below, prefix, at))
		case name == "" || name == "-":
		case below.Kind() == reflect.Struct && below.PkgPath() == recordType.PkgPath():
			maps.Copy(known, fieldsOf(below, prefix+name+".", at))
		case below.Kind() == reflect.Map && below.Elem().Kind() == reflect.Struct: // identity.by is for people
		case below.Kind() == reflect.Map:
			known[prefix+name+"."] = field{index: at}
		default:
			known[prefix+name] = field{index: at}
		}
	}
	return known
}

// fieldOf returns the field of a key. The error names the nearest one.
func fieldOf(key string) (field, error) {
	known := fields()
	if f, ok := known[key]; ok && !strings.HasSuffix(key, ".") {
		return f, nil
	}
	if name, below, ok := strings.Cut(key, "."); ok && below != "" {
		if f, ok := known[name+"."]; ok { // extensions.x-name
			f.name = strings.ToLower(below)
			return f, nil
		}
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(known)), func(k string) bool { return strings.HasSuffix(k, ".") })
	if near := nearest.Word(key, names); near != "" {
		return field{}, fmt.Errorf("%s is no key of a record; did you mean %q?", key, near)
	}
	return field{}, fmt.Errorf("%s is no key of a record", key)
}

// any reports whether is holds for one of the field's values in r. A key that the record
// does not have has no value.
func (f field) any(r *report.Record, is func(string) bool) bool {
	v, err := reflect.ValueOf(r).Elem().FieldByIndexErr(f.index)
	if err != nil { // a part of the record that is nil
		return false
	}
	if f.name != "" {
		for _, key := range v.MapKeys() {
			if strings.EqualFold(key.String(), f.name) && anyOf(v.MapIndex(key), is) {
				return true
			}
		}
		return false
	}
	return anyOf(v, is)
}

func anyOf(v reflect.Value, is func(string) bool) bool {
	switch v.Kind() {
	case reflect.String:
		return v.Len() > 0 && is(v.String())
	case reflect.Slice:
		for i := range v.Len() {
			if anyOf(v.Index(i), is) {
				return true
			}
		}
		return false
	case reflect.Bool:
		return is(strconv.FormatBool(v.Bool()))
	case reflect.Int, reflect.Int64, reflect.Int32:
		return is(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		return is(strconv.FormatUint(v.Uint(), 10))
	}
	if at, ok := v.Interface().(time.Time); ok {
		return !at.IsZero() && is(at.Format(time.RFC3339))
	}
	return is(fmt.Sprint(v.Interface()))
}
