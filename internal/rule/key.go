package rule

import "reflect"

// Key is a key of a record, to read its value.
type Key struct {
	name  string
	field field
}

// ParseKey returns the Key of a name such as original.subject. The error names the
// nearest key.
func ParseKey(name string) (Key, error) {
	f, err := fieldOf(name)
	return Key{name, f}, err
}

// IsList reports whether a record may have several values of the key.
func (k Key) IsList() bool {
	t := recordType
	for _, i := range k.field.index {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		t = t.Field(i).Type
	}
	if t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t.Kind() == reflect.Slice
}

// Value returns the record's value, as a When looks at it; the first one of a list; "":
// it has none. The error is that of Values.
func (k Key) Value(v Values) (value string, err error) {
	if value, known := v.Column(k.name); known {
		return value, nil
	}
	r, err := v.Record()
	if err != nil {
		return "", err
	}
	k.field.any(r, func(is string) bool {
		value = is
		return true
	})
	return value, nil
}
