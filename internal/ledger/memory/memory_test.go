package memory

import (
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

func TestMemory(t *testing.T) { ledgertest.Run(t, func(*testing.T) ledger.Ledger { return New() }) }
