//go:build unix

package settings

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
)

// A config that holds a secret itself is a file with a secret; one that names a
// variable is none.
func TestExposedConfig(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	for password, want := range map[string]int{"hunter2": 1, "${PASSWORD}": 0, "${OTHER:-hunter2}": 0} {
		fixture.File(t, path, "ledger: l.db\naccounts:\n  - {name: a, url: 'imaps://fbl@imap.example.com', password: '"+password+"'}\n")
		for mode, told := range map[os.FileMode]int{0o644: want, 0o640: 0} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			config, err := Load(t.Context(), path, env("HOME", "/home/fbl", "PASSWORD", "hunter2"))
			if err != nil {
				t.Fatal(err)
			}
			got := config.Exposed()
			if len(got) != told || told == 1 && got[0] != "config, which holds accounts[0].password: "+path+" is open to everybody (mode 0644); run chmod 600 "+path+", or 640 if its group must read it" {
				t.Errorf("%s, mode %04o: %q", password, mode, got)
			}
		}
	}
}
