package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// TestFoldersRefused has a server refuse one folder. folders and check name it,
// and go on with the others.
func TestFoldersRefused(t *testing.T) {
	server := imaptest.New()
	defer server.Close()
	for _, name := range []string{"A", "R&D", "Z"} {
		server.AddMailbox(name)
	}
	server.Hook = func(step imaptest.Step) imaptest.Action {
		if refused := strings.Contains(step.Text, ` "A"`) || step.Command == "LIST" && strings.Contains(step.Text, "FBL"); refused && step.Part == imaptest.Received {
			return imaptest.Action{Do: imaptest.Answer, Text: "NO [SERVERBUG] Internal error"}
		}
		return imaptest.Action{}
	}
	addr, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "c.yaml")
	text := "ledger: " + filepath.Join(dir, "l.db") + "\naccounts:\n  - {name: a, url: 'imap://user@" + addr + "', password: pass, folders: [A, 'FBL/%', R&D, Z]}\n"
	fixture.File(t, config, text)
	for command, wants := range map[string][]string{
		"folders": {"a        ?         ?       -           A\n", "a        0         0       -           R&D\n", "a        0         0       -           Z\n",
			`fblwatch: error: account a: folder "A": imapclient: STATUS: server said NO [SERVERBUG] Internal error`},
		"check": {`FAILED  a: folder "A": `, `FAILED  a: folder "FBL/%": no folder matches`, "ok      a: folder R&D: 0 ", "ok      a: folder Z: 0 ", "fblwatch: error: 2 checks failed"},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), []string{"fblwatch", command, "-c", config}, nil, &out, &out, env("HOME", dir)); code != exitFailed {
			t.Errorf("%s: exit %d", command, code)
		}
		for _, want := range wants {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", command, want, &out)
			}
		}
	}
}
