package sink

import (
	"log/slog"
	"os"
	"sync"
	"time"
)

// syncEvery is how long fsync: interval lets a record wait for the disk.
const syncEvery = time.Second

// syncing syncs a file a second after it was written.
type syncing struct {
	f     *os.File
	dirty chan struct{}
	quit  chan struct{}
	over  sync.WaitGroup
}

func startSyncing(f *os.File, log *slog.Logger) *syncing {
	s := &syncing{f: f, dirty: make(chan struct{}, 1), quit: make(chan struct{})}
	s.over.Go(func() {
		for {
			select {
			case <-s.dirty:
			case <-s.quit:
				return
			}
			select {
			case <-time.After(syncEvery):
			case <-s.quit:
				return
			}
			select { // what was written until now is part of this one
			case <-s.dirty:
			default:
			}
			if err := f.Sync(); err != nil {
				log.Error("the last second's records may be lost; send them again with replay --since", "err", err)
			}
		}
	})
	return s
}

// soon has the file synced within a second.
func (s *syncing) soon() {
	select {
	case s.dirty <- struct{}{}:
	default:
	}
}

// end syncs what was written last.
func (s *syncing) end() error {
	close(s.quit)
	s.over.Wait()
	return s.f.Sync()
}
