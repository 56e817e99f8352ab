//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
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
	writeFile(t, plain, "sixteen octets or more\n")
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
			writeFile(t, config, "ledger: "+ledger+"\n"+text)
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

// A shell's <(command) and /dev/stdin are pipes, too, and are read; the end of
// the program does not wait for theirs.
func TestPasswordFromDescriptor(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	a := Account{PasswordFile: fmt.Sprintf("/dev/fd/%d", r.Fd())}
	login := (&program{}).login(a)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := login(ctx, imapclient.Challenge{Trial: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := w.WriteString("hunter2\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got, err := login(t.Context(), imapclient.Challenge{Trial: 1}); err != nil || got.Password != "hunter2" {
		t.Errorf("%q, %v", got.Password.Reveal(), err)
	}
}

// A config that holds a secret itself is a file with a secret; one that names a
// variable is none.
func TestExposedConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	p := &program{env: env("HOME", "/home/fbl", "PASSWORD", "hunter2")}
	for password, want := range map[string]int{"hunter2": 1, "${PASSWORD}": 0, "${OTHER:-hunter2}": 0} {
		writeFile(t, path, "ledger: l.db\naccounts:\n  - {name: a, url: 'imaps://fbl@imap.example.com', password: '"+password+"'}\n")
		for mode, told := range map[os.FileMode]int{0o644: want, 0o640: 0} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			config, err := p.config(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			got := config.exposed()
			if len(got) != told || told == 1 && got[0] != "config, which holds accounts[0].password: "+path+" is open to everybody (mode 0644); run chmod 600 "+path+", or 640 where its group is to read it" {
				t.Errorf("%s, mode %04o: %q", password, mode, got)
			}
		}
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
		writeFile(t, path, text)
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
