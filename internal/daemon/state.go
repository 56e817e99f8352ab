package daemon

import (
	"encoding/json"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// stateRow is the last word of a sink or the hooks in the ledger.
type stateRow struct {
	State   string    `json:"state"`
	Failing time.Time `json:"failing,omitzero"` // since when nothing works
	Err     string    `json:"err,omitempty"`
	Record  string    `json:"record,omitempty"` // the id of the record that a sink does not take
	Waits   time.Time `json:"waits,omitzero"`   // since when that record waits
	Ended   bool      `json:"ended,omitempty"`  // nobody writes the row again before the next start
}

func readState(s ledger.State) (row stateRow) {
	if err := json.Unmarshal([]byte(s.Value), &row); err != nil {
		row.State = s.Value
	}
	return row
}

const hooksState = "hooks" // the name of the hooks' row of state
