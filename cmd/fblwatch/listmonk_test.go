package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/sink"
)

// The config of docs/listmonk.md is one, and names the preset.
func TestListmonkConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	fixture.File(t, file, blocksOf(t, "docs/listmonk.md", "yaml")[0])
	p := &program{stderr: io.Discard, env: env("HOME", t.TempDir())}
	config, err := p.config(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if config.Identify.Presets != "listmonk" || len(config.Sinks) != 1 || config.Sinks[0].Type != sink.TypeHTTP || config.Sinks[0].Profile.Profile != "listmonk" {
		t.Errorf("%+v, %+v", config.Identify, config.Sinks)
	}
}

// The hook of docs/listmonk.md posts what has verdict yes, by the UUID if there is
// one. It answers what listmonk refuses for good, and not what it cannot take.
func TestListmonkHook(t *testing.T) {
	python := python3(t)
	var mu sync.Mutex
	var posted []string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, token, _ := r.BasicAuth()
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if body["email"] == "down@example.com" {
			status = http.StatusServiceUnavailable
		} else if body["email"] == "blocked@example.com" {
			status = http.StatusBadRequest
		} else {
			status = http.StatusOK
		}
		posted = append(posted, fmt.Sprint(r.Method, " ", r.URL.Path, " ", user, ":", token, " ", body["type"], " ", body["subscriber_uuid"], " ", body["email"], " ", body["campaign_uuid"]))
		w.WriteHeader(status)
	}))
	defer server.Close()
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	fixture.File(t, token, "fblwatch:s3cret\n")
	text := blocksOf(t, "docs/listmonk.md", "python")[0]
	hook := filepath.Join(dir, "listmonk.py")
	text = strings.NewReplacer("https://listmonk.example.com", server.URL, "/etc/fblwatch/listmonk.token", token).Replace(text)
	fixture.File(t, hook, text)
	write := func(records ...string) error {
		var rows []ledger.Row
		for i, record := range records {
			id := fmt.Sprintf("%032x.1", i)
			rows = append(rows, ledger.Row{FolderID: 1, Seq: int64(i + 1), Record: ledger.Record{ID: id, Revision: 1, JSON: fmt.Appendf(nil, `{"id":%q,%s}`, id, record)}})
		}
		command, err := sink.Open(sink.Config{Name: "own", Type: sink.TypeExec, Exec: sink.ExecConfig{Command: []string{python, hook}}}, sink.Options{Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = command.Write(t.Context(), delivery.Items(rows))
		_ = command.Close() // a hook that ended says so
		return err
	}
	if err := write(
		`"original_rcpt_to":"a@example.com","identity":{"subscriber":"u1","campaign":"c1"},"suppress":{"verdict":"yes"}`,
		`"original_rcpt_to":"b@example.com","suppress":{"verdict":"yes"}`,
		`"original_rcpt_to":"blocked@example.com","suppress":{"verdict":"yes"}`,
		`"original_rcpt_to":"c@example.com","suppress":{"verdict":"review"}`,
		`"original_rcpt_to":"d@example.com","suppress":{"verdict":"no"}`,
		`"event":"unparsed"`,
		`"identity":{"campaign":"c1"},"suppress":{"verdict":"yes"}`,
	); err != nil {
		t.Errorf("not every record was answered: %v", err)
	}
	head := "POST /webhooks/bounce fblwatch:s3cret complaint "
	want := []string{head + "u1 <nil> c1", head + "<nil> b@example.com <nil>", head + "<nil> blocked@example.com <nil>"}
	if mu.Lock(); !slices.Equal(posted, want) {
		t.Errorf("\n got %q\nwant %q", posted, want)
	}
	mu.Unlock()
	if err := write(`"original_rcpt_to":"down@example.com","suppress":{"verdict":"yes"}`); err == nil {
		t.Error("a record that listmonk did not take was answered")
	}
}
