package daemon

import (
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/subprocess"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// A sweep that waits for a sink at its end carries out what other commands ask for.
func TestSweepServesWhileItWaits(t *testing.T) {
	_, config := setUp(t, 1)
	config.Hooks.Record = subprocess.Command{"/bin/false"}
	read := make(chan bool, 10)
	d := New(config, Options{Drain: 5 * time.Second, Observer: watch.Observer{Progress: func(p watch.Progress) {
		if p == (watch.Progress{}) {
			read <- true
		}
	}}})
	ended := make(chan error, 1)
	go func() { ended <- d.Sweep(t.Context()) }()
	<-read
	editor, err := backend.Edit(t.Context(), config.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	defer editor.Close()
	if _, err := editor.Do(t.Context(), ledger.Change{Ack: []ledger.Acked{{Sink: "file", FolderID: 1, Seq: 1}}}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		t.Errorf("it ended before it answered: %v", err)
	default:
		if err := <-ended; err == nil {
			t.Error("the sink took a record")
		}
	}
}
