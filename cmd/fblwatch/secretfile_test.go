//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// A named pipe for a file of the config: an error that says so, at once. Opening
// it would wait for a writer, and no signal would end that.
func TestPipeForFile(t *testing.T) {
	dir := t.TempDir()
	pipe, config := filepath.Join(dir, "pipe"), filepath.Join(dir, "config.yaml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "plain")
	fixture.File(t, plain, "sixteen octets or more\n")
	server := imaptest.New()
	defer server.Close()
	server.User, server.Password = "fbl", "hunter2"
	address, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	account := "accounts:\n  - {name: a, url: 'imap://fbl@" + address + "', "
	secured := "accounts:\n  - {name: a, url: 'imaps://fbl@" + address + "', password: x, "
	oauth2 := account + "oauth2: {provider: 'http://localhost:9', token_endpoint: 'http://localhost:9/t', device_authorization_endpoint: 'http://localhost:9/d', client_id: c, "
	for name, text := range map[string]string{
		"password_file":      account + "password_file: " + pipe + "}\n",
		"ca_file":            secured + "ca_file: " + pipe + "}\n",
		"cert_file":          secured + "cert_file: " + pipe + ", key_file: " + plain + "}\n",
		"account key_file":   secured + "cert_file: " + plain + ", key_file: " + pipe + "}\n",
		"token_file":         oauth2 + "token_file: " + pipe + "}}\n",
		"client_secret_file": oauth2 + "grant: client_credentials, client_secret_file: " + pipe + "}}\n",
		"privacy key_file":   account + "password: x}\nprivacy: {addresses: hash, key_file: " + pipe + "}\n",
		"identify key_file":  account + "password: x}\nidentify: {rules: [{name: r, from: rcpt, match: '(?P<hmac>a)(?P<subscriber>b)', verify: {hmac: sha256, key_file: " + pipe + "}}]}\n",
		"country_file":       account + "password: x}\nenrich: {country_file: " + pipe + "}\n",
		"records":            account + "password: x}\nrecords: {file: " + pipe + "}\n",
		"ledger":             account + "password_file: " + plain + "}\n",
		"config":             "",
	} {
		t.Run(name, func(t *testing.T) {
			path, ledger := config, filepath.Join(dir, "l.db")
			switch name {
			case "config":
				path = pipe
			case "ledger":
				ledger = pipe
			}
			fixture.File(t, config, "ledger: "+ledger+"\n"+text)
			var stdout, stderr bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			command := "sweep"
			if name == "records" {
				command = "watch"
			}
			code := run(ctx, []string{"fblwatch", command, "-c", path}, nil, &stdout, &stderr, env())
			if said := stderr.String(); code == exitDone || ctx.Err() != nil || !strings.Contains(said, "plain file") && !strings.Contains(said, "regular file") || !strings.Contains(said, pipe) {
				t.Errorf("exit %d: %s", code, said)
			}
		})
	}
}

// A secret that anybody may read is named, with what to do; check has a line for
// it.
func TestExposedSecrets(t *testing.T) {
	server := imaptest.New()
	defer server.Close()
	server.User, server.Password = "fbl", "hunter2"
	address, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		fixture.File(t, path, text)
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	password, key := file("password", "hunter2\n", 0o644), file("key", "sixteen octets or more\n", 0o604)
	config := file("config.yaml", "ledger: "+filepath.Join(dir, "l.db")+"\naccounts:\n  - {name: a, url: 'imap://fbl@"+address+"', password_file: "+password+"}\n"+
		"privacy: {addresses: hash, key_file: "+key+"}\n", 0o600)
	warnings := []string{
		"account a: password_file " + password + " is open to everybody (mode 0644); run chmod 600 " + password,
		"privacy: key_file " + key + " is open to everybody (mode 0604); run chmod 600 " + key,
	}
	for _, exposed := range []bool{true, false} {
		for _, command := range []string{"check", "sweep"} {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), []string{"fblwatch", command, "-c", config}, nil, &stdout, &stderr, env()); code != exitDone {
				t.Errorf("%s: exit %d: %s%s", command, code, &stdout, &stderr)
			}
			said, prefix := stderr.String(), "fblwatch: warning: "
			if command == "check" {
				said, prefix = stdout.String(), "warning config: "
			}
			for _, warning := range warnings {
				if strings.Count(said, prefix+warning) != map[bool]int{true: 1}[exposed] {
					t.Errorf("%s, exposed %v: %s", command, exposed, said)
				}
			}
		}
		if err := errors.Join(os.Chmod(password, 0o600), os.Chmod(key, 0o640)); err != nil {
			t.Fatal(err)
		}
	}
}
