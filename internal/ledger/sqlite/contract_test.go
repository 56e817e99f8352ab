package sqlite

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

// database/sql's opener ends shortly after Close; goleak waits for it.
func TestMain(m *testing.M) {
	if path := victim(); path != "" {
		commitForever(path)
	}
	goleak.VerifyTestMain(m)
}

func TestContract(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledger.Ledger { return openTest(t, filepath.Join(t.TempDir(), "l.db")) })
}

// The contract holds while ids are on their way into their table, too.
func TestContractMerging(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledger.Ledger {
		l := openTest(t, filepath.Join(t.TempDir(), "l.db"))
		l.(*store).recentMost = 2
		return l
	})
}

func openTest(t *testing.T, path string) ledger.Ledger { return openFull(t, path, 0) }

func openFull(t *testing.T, path string, maxPages int) ledger.Ledger {
	t.Helper()
	l, err := open(t.Context(), path, maxPages)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
