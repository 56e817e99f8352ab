package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/report"
)

// block is the first block of a language in a page of docs/sinks.
func block(t *testing.T, page, language string) string {
	t.Helper()
	text := fixture.Read(t, filepath.Join("..", "..", "docs", "sinks", page))
	found := regexp.MustCompile("(?s)\n```" + language + "\n(.*?)\n```\n").FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no %s", page, language)
	}
	return found[1]
}

// keysOf are the keys of a record, with those of its objects after a dot.
func keysOf(t reflect.Type, prefix string) (keys []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		switch {
		case f.Anonymous:
			keys = append(keys, keysOf(inner, prefix)...)
			continue
		case inner.Kind() == reflect.Struct && inner.PkgPath() == reflect.TypeFor[report.Record]().PkgPath():
			keys = append(keys, keysOf(inner, prefix+name+".")...)
		}
		keys = append(keys, prefix+name)
	}
	return keys
}

// TestStorePages: the table has all keys of a record, and the template only such.
func TestStorePages(t *testing.T) {
	keys := keysOf(reflect.TypeFor[report.Record](), "")
	table := block(t, "clickhouse.md", "sql")
	columns := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^    (\w+) (.+(?:\n        .+)*)`).FindAllStringSubmatch(table, -1) {
		columns[m[1]] = true
		if inner, isTuple := strings.CutPrefix(m[2], "Tuple("); isTuple {
			for _, element := range regexp.MustCompile("(?:^|,\\s+)`?(\\w+)`? [A-Z]").FindAllStringSubmatch(inner, -1) {
				columns[m[1]+"."+element[1]] = true
			}
		}
	}
	for _, key := range keys {
		if !columns[key] {
			t.Errorf("clickhouse.md: no column %s", key)
		}
		delete(columns, key)
	}
	for column := range columns {
		t.Errorf("clickhouse.md: %s is no key of a record", column)
	}

	var template struct {
		Template struct {
			Mappings struct{ Properties map[string]json.RawMessage }
		}
	}
	if err := json.Unmarshal([]byte(block(t, "elasticsearch.md", "json")), &template); err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, key := range append(keys, "extensions.name", "extensions.value") {
		known[key] = true
	}
	fields := 0
	var walk func(prefix string, properties map[string]json.RawMessage)
	walk = func(prefix string, properties map[string]json.RawMessage) {
		for name, raw := range properties {
			if fields++; !known[prefix+name] {
				t.Errorf("elasticsearch.md: %s%s is no key of a record", prefix, name)
			}
			var field struct{ Properties map[string]json.RawMessage }
			if err := json.Unmarshal(raw, &field); err != nil {
				t.Fatal(err)
			}
			walk(prefix+name+".", field.Properties)
		}
	}
	if walk("", template.Template.Mappings.Properties); fields < 50 {
		t.Errorf("%d fields", fields)
	}
}

// TestOpenSearch runs against the server whose URL is in FBLWATCH_OPENSEARCH, and removes
// the index fblwatch there.
func TestOpenSearch(t *testing.T) {
	server := os.Getenv("FBLWATCH_OPENSEARCH")
	if server == "" {
		t.Skip("FBLWATCH_OPENSEARCH names no server")
	}
	call := func(method, path, media string, body []byte) Answer {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", media)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		return Answer{Status: a.StatusCode, Header: a.Header, Body: text}
	}
	const media = "application/json"
	call("DELETE", "/fblwatch", media, nil)
	if a := call("PUT", "/_index_template/fblwatch", media, []byte(block(t, "elasticsearch.md", "json"))); a.Status != 200 {
		t.Fatal(a)
	}
	p := newStore(t, Options{Profile: "elasticsearch", Index: "fblwatch"})
	send := func(items ...delivery.Item) error {
		r := request(t, p, items)
		a := call("POST", r.Path, r.Header.Get("Content-Type"), r.Body)
		err := p.Judge(a, len(items))
		t.Logf("%d items: %d octets: %v", len(items), len(a.Body), err)
		return err
	}
	fields := func() int { return strings.Count(string(call("GET", "/fblwatch/_mapping", media, nil).Body), `"type"`) }

	var items []delivery.Item
	for i, text := range hostile {
		items = append(items, stored(chosen(fmt.Sprintf("0123456789abcdef%016x.1", i), text)))
	}
	if err := send(items...); err != nil {
		t.Fatal(err)
	}
	before := fields()
	if err := send(items...); err != nil {
		t.Errorf("a repeat: %v", err)
	}
	many := chosen("ffff.1", strings.Repeat("x", 40_000))
	for i := range 3000 {
		many.Extensions[fmt.Sprintf("x-%d.y", i)] = []string{"1"}
	}
	if err := send(stored(many)); err != nil || fields() != before {
		t.Errorf("3,000 extensions: %v, %d fields after %d", err, fields(), before)
	}
	newer := chosen("eeee.1", "newer")
	newer.Revision = 3
	if err := errors.Join(send(stored(newer)), send(stored(chosen("eeee.1", "earlier")))); err != nil {
		t.Error(err)
	}
	if a := call("GET", "/fblwatch/_doc/eeee.1", media, nil); !bytes.Contains(a.Body, []byte(`"_version":3`)) || bytes.Contains(a.Body, []byte("earlier")) {
		t.Errorf("%s", a.Body)
	}
	bad := small("dddd.1", 1, `{"id":"dddd.1","revision":"x"}`)
	var refused delivery.Refusals
	if err := send(stored(chosen("cccc.1", "a")), bad, stored(chosen("bbbb.1", "a"))); !errors.As(err, &refused) || len(refused) != 1 || refused[0].First != 1 {
		t.Error(err)
	}
	call("POST", "/fblwatch/_refresh", media, nil)
	if a := call("GET", "/fblwatch/_count", media, nil); !bytes.Contains(a.Body, fmt.Appendf(nil, `{"count":%d,`, len(items)+4)) {
		t.Errorf("%s", a.Body)
	}
	query := `{"query":{"nested":{"path":"extensions","query":{"bool":{"must":[{"term":{"extensions.name":"x-7.y"}},{"term":{"extensions.value":"1"}}]}}}}}`
	if a := call("GET", "/fblwatch/_search", media, []byte(query)); !bytes.Contains(a.Body, []byte(`"total":{"value":1,`)) {
		t.Errorf("%s", a.Body)
	}
	var source struct {
		Source json.RawMessage `json:"_source"`
	}
	for i := range items {
		if err := json.Unmarshal(call("GET", "/fblwatch/_doc/"+items[i].ID, media, nil).Body, &source); err != nil {
			t.Fatal(err)
		}
		want, err := appendListed(nil, items[i].JSON)
		if err != nil {
			t.Fatal(err)
		}
		same(t, items[i].ID, source.Source, want)
	}
	closed := call("PUT", "/fblwatch/_settings", media, []byte(`{"index.blocks.write":true}`))
	if err := send(stored(chosen("aaaa.1", "a"))); closed.Status != 200 || err == nil || errors.As(err, &refused) {
		t.Errorf("a blocked index: %v", err)
	}
}

// chdbProgram reads statements as a JSON array and prints the answer, or the error, to each.
const chdbProgram = `
import json, sys
from chdb import session
s, out = session.Session(), []
for statement in json.load(sys.stdin):
    try:
        out.append(s.query(statement, "JSONEachRow").data())
    except Exception as e:
        out.append("error: " + str(e))
json.dump(out, sys.stdout)
`

// TestClickHouse runs with chdb, which FBLWATCH_CHDB names a Python of.
func TestClickHouse(t *testing.T) {
	python := os.Getenv("FBLWATCH_CHDB")
	if python == "" {
		t.Skip("FBLWATCH_CHDB names no Python")
	}
	p := newStore(t, Options{Profile: "clickhouse", Table: "mail.fblwatch"})
	statements := []string{"CREATE DATABASE mail", block(t, "clickhouse.md", "sql")}
	insert := func(items ...delivery.Item) {
		r := request(t, p, items)
		u, err := url.Parse(r.Path)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		statement := strings.Replace(q.Get("query"), " FORMAT ", " SETTINGS ", 1)
		head, format, _ := strings.Cut(statement, " SETTINGS ")
		var settings []string
		for name := range q {
			if name != "query" {
				settings = append(settings, name+"='"+q.Get(name)+"'")
			}
		}
		statements = append(statements, head+" SETTINGS "+strings.Join(settings, ", ")+" FORMAT "+format+"\n"+string(r.Body))
	}
	ask := func(query string) int {
		statements = append(statements, query)
		return len(statements) - 1
	}
	var items []delivery.Item
	for i, text := range hostile {
		items = append(items, stored(chosen(fmt.Sprintf("0123456789abcdef%016x.1", i), text)))
	}
	insert(items...)
	insert(items...)
	rows := ask("SELECT count() AS n FROM mail.fblwatch")
	newer := chosen("eeee.1", "newer")
	newer.Revision = 3
	insert(stored(newer))
	insert(stored(chosen("eeee.1", "earlier")))
	last := ask("SELECT feedback_type AS t FROM mail.fblwatch FINAL WHERE id = 'eeee.1'")
	dots := ask("SELECT count() AS n FROM mail.fblwatch WHERE extensions['__proto__'] = ['a'] AND extensions['@timestamp'] = ['b'] AND extensions['_id'] = ['c']")
	values := ask("SELECT id, feedback_type, original.subject AS subject, extensions['x-foo.bar'][1] AS ext, mailbox.folder AS folder, toString(received_at) AS at FROM mail.fblwatch WHERE id LIKE '0123%' ORDER BY id")
	at := len(statements)
	for _, bad := range []string{`{"id":"a","revision":"x"}`, `{"id":"a","received_at":"noon"}`, `{"id":"a","extensions":{"a":"b"}}`, `{"id":"a","supersedes":"b"}`, `{"id":`} {
		insert(small("a", 1, bad))
	}
	unknown := ask("INSERT INTO mail.none FORMAT JSONEachRow\n{}")
	insert(small("later", 1, `{"id":"later","new_key":{"a":[1]},"original":{"new":1,"date":"9999-01-01T00:00:00Z"}}`))
	later := ask("SELECT count() AS n FROM mail.fblwatch WHERE id = 'later'")

	in, err := json.Marshal(statements)
	if err != nil {
		t.Fatal(err)
	}
	program := exec.CommandContext(t.Context(), python, "-c", chdbProgram)
	program.Stdin, program.Stderr = bytes.NewReader(in), os.Stderr
	out, err := program.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(statements) {
		t.Fatal(err)
	}
	for i := range answers[:at] {
		if strings.HasPrefix(answers[i], "error") {
			t.Errorf("%.200s: %s", statements[i], answers[i])
		}
	}
	want := fmt.Sprint(len(items))
	for what, ok := range map[string]bool{
		"a repeat":           regexp.MustCompile(`"n":"?` + want + `\b`).MatchString(answers[rows]),
		"the last revision":  strings.Contains(answers[last], `"t":"newer"`),
		"names of fields":    regexp.MustCompile(`"n":"?` + fmt.Sprint(len(items)+2) + `\b`).MatchString(answers[dots]),
		"a later version":    regexp.MustCompile(`"n":"?1\b`).MatchString(answers[later]),
		"an unknown table":   regexp.MustCompile(`^error: .*Code: 60\.`).MatchString(answers[unknown]),
		"values, every line": strings.Count(answers[values], "\n") == len(items),
	} {
		if !ok {
			t.Errorf("%s: %q %q %q %q %q", what, answers[rows], answers[last], answers[dots], answers[later], answers[unknown])
		}
	}
	for i, line := range strings.Split(strings.TrimSpace(answers[values]), "\n") {
		var r report.Record
		if err := json.Unmarshal(items[i].JSON, &r); err != nil {
			t.Fatal(err)
		}
		row := jsonOf(t, []byte(line)).(map[string]any)
		if row["feedback_type"] != r.FeedbackType || row["subject"] != r.Original.Subject || row["ext"] != r.Extensions["x-foo.bar"][0] || row["folder"] != r.Mailbox.Folder || row["at"] != "2026-01-31 12:00:00.123" {
			t.Errorf("%v for %s", row, items[i].JSON)
		}
	}
	for i := at; i < unknown; i++ {
		code := regexp.MustCompile(`Code: (\d+)`).FindStringSubmatch(answers[i])
		if code == nil {
			t.Errorf("%.200s is taken: %s", statements[i], answers[i])
			continue
		}
		a := Answer{Status: 400, Header: http.Header{"X-Clickhouse-Exception-Code": {code[1]}}, Body: []byte(answers[i])}
		if err := p.Judge(a, 1); !errors.As(err, new(delivery.Refusals)) {
			t.Errorf("code %s is no refusal: %s", code[1], answers[i])
		}
	}
}
