package profile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/report"
)

// fields is a record's JSON, with an empty object for each part that it lacks, so that
// a template may ask for a value below it.
type fields map[string]any

func fieldsOf(item *delivery.Item) (fields, error) {
	f, err := decode(item.JSON)
	if err != nil {
		return nil, fmt.Errorf("record %s: %w", item.ID, err)
	}
	for key, value := range sample() {
		if _, has := f[key]; has {
			continue
		}
		if _, object := value.(map[string]any); object {
			f[key] = map[string]any{}
		}
	}
	return f, nil
}

func decode(text []byte) (f fields, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&f)
	return f, err
}

// shortKeys are keys that are known without their prefix, as columns of the ledger are.
var shortKeys = map[string]string{"tenant": "identity.tenant", "campaign": "identity.campaign", "subscriber": "identity.subscriber"}

// text is the value of a key such as identity.tenant, if it is a single one and not
// empty.
func (f fields) text(key string) (value string, ok bool) {
	if long, short := shortKeys[key]; short {
		key = long
	}
	var at any = map[string]any(f)
	for step := range strings.SplitSeq(key, ".") {
		object, _ := at.(map[string]any)
		at = object[step]
	}
	switch at := at.(type) {
	case string:
		return at, at != ""
	case json.Number, bool:
		return fmt.Sprint(at), true
	}
	return "", false
}

// sampleText has what breaks out of text that is not escaped.
const sampleText = `a"b\c/d&e=<f>` + "\n"

// sample is a record with every key. Do not change it.
var sample = sync.OnceValue(func() fields {
	var r report.Record
	fill(reflect.ValueOf(&r).Elem())
	f, err := decode(r.AppendJSON(nil))
	if err != nil {
		panic("profile: " + err.Error())
	}
	return f
})

// fill sets every field below v.
func fill(v reflect.Value) {
	if t, ok := v.Addr().Interface().(*time.Time); ok {
		*t = time.Unix(1, 0).UTC()
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(sampleText)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("sample").Convert(v.Type().Key()), value)
	default:
		panic("profile: no sample of a " + v.Type().String())
	}
}
