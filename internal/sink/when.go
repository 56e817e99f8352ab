package sink

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/nearest"
	"github.com/fblwatch/fblwatch/report"
)

// When says which records a sink gets: those that have every value, by the record's
// keys, such as event or original.subject. A list has a value if one of its members is
// equal to it. Addresses and domains are equal without regard to case; everything is.
type When map[string]string

// recordKeys gives the index of each key of a record, see reflect.Value.FieldByIndex.
var recordKeys = keysOf(reflect.TypeFor[report.Record](), "", nil)

func keysOf(t reflect.Type, prefix string, index []int) map[string][]int {
	keys := make(map[string][]int)
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		at := append(slices.Clip(index), i)
		below := field.Type
		if below.Kind() == reflect.Pointer {
			below = below.Elem()
		}
		switch {
		case field.Anonymous:
			maps.Copy(keys, keysOf(below, prefix, at))
		case name == "" || name == "-":
		case below.Kind() == reflect.Struct && below.PkgPath() == reflect.TypeFor[report.Record]().PkgPath():
			maps.Copy(keys, keysOf(below, prefix+name+".", at))
		case below.Kind() == reflect.Map:
		default:
			keys[prefix+name] = at
		}
	}
	return keys
}

// Validate reports a key that no record has.
func (w When) Validate() error {
	for _, key := range slices.Sorted(maps.Keys(w)) {
		if _, known := recordKeys[key]; known {
			continue
		}
		if near := nearest.Word(key, slices.Sorted(maps.Keys(recordKeys))); near != "" {
			return fmt.Errorf("%s is no key of a record; did you mean %q?", key, near)
		}
		return errors.New(key + " is no key of a record")
	}
	return nil
}

// matches reports whether the item has every value. An item that is no record matches
// nothing but an empty When.
func (w When) matches(item *delivery.Item) (bool, error) {
	for key, want := range w {
		if is, known := column(item, key); known {
			if !strings.EqualFold(is, want) {
				return false, nil
			}
			continue
		}
		record, err := item.Record()
		if err != nil {
			return false, err
		}
		value, err := reflect.ValueOf(record).Elem().FieldByIndexErr(recordKeys[key])
		if err != nil || !holds(value, want) { // the error: a part of the record that it does not have
			return false, nil
		}
	}
	return true, nil
}

// column returns the value of a key that the ledger knows without reading the JSON.
func column(item *delivery.Item, key string) (value string, known bool) {
	switch key {
	case "id":
		return item.ID, true
	case "revision":
		return strconv.Itoa(item.Revision), true
	case "event":
		return item.Event, true
	case "class":
		return item.Class, true
	case "provider":
		return item.Provider, true
	case "feed":
		return item.Feed, true
	case "source_ip":
		return item.SourceIP, true
	case "suppress.verdict":
		return item.Verdict, true
	}
	return "", false
}

func holds(v reflect.Value, want string) bool {
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			if holds(v.Index(i), want) {
				return true
			}
		}
		return false
	}
	if text, ok := v.Interface().(interface{ MarshalText() ([]byte, error) }); ok {
		b, err := text.MarshalText()
		return err == nil && strings.EqualFold(string(b), want)
	}
	return strings.EqualFold(fmt.Sprint(v.Interface()), want)
}
