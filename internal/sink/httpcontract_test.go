package sink

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/fblwatch/fblwatch/internal/profile"
)

// array is a receiver of the profile native, which does what a test says.
type array struct {
	mu      sync.Mutex
	got     []string // ids
	isDown  bool
	refused []string
	stalled chan struct{} // nil: it answers
}

func (a *array) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var records []struct{ ID string }
	if err := json.NewDecoder(r.Body).Decode(&records); err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if stalled := a.stalled; stalled != nil {
		a.mu.Unlock()
		select {
		case <-stalled:
		case <-r.Context().Done():
		}
		a.mu.Lock()
	}
	switch {
	case a.isDown:
		http.Error(w, "closed today", http.StatusServiceUnavailable)
		return
	case slices.ContainsFunc(records, func(one struct{ ID string }) bool { return slices.Contains(a.refused, one.ID) }):
		http.Error(w, "no\n\x1b[31mred", http.StatusUnprocessableEntity)
		return
	}
	for _, one := range records {
		a.got = append(a.got, one.ID)
	}
}

// set changes what a receiver does.
func (a *array) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}

// httpReceiver is an array with a sink of a profile. A crash tears what is stored.
func httpReceiver(t *testing.T, p profile.Profile) receiver {
	a, stored := &array{}, &store{}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return receiver{
		open: func() (Sink, error) {
			return newHTTP(Config{Name: "test", Remote: RemoteConfig{URL: server.URL}}, Options{Log: discard, Stored: stored}, p)
		},
		written: func() (ids []string) {
			a.set(func() { ids = slices.Clone(a.got) })
			return ids
		},
		down:   func(is bool) { a.set(func() { a.isDown = is }) },
		refuse: func(id string) { a.set(func() { a.refused = append(a.refused, id) }) },
		stall: func(is bool) {
			a.set(func() {
				if is {
					a.stalled = make(chan struct{})
				} else {
					close(a.stalled)
					a.stalled = nil
				}
			})
		},
		tear: func() {
			for folder, b := range stored.batches {
				b.Data = b.Data[:len(b.Data)/2]
				stored.batches[folder] = b
			}
		},
	}
}

func init() {
	native, err := profile.New(profile.Options{Profile: defaultProfile})
	if err != nil {
		panic(err)
	}
	contracts["http"] = contract{start: func(t *testing.T) receiver { return httpReceiver(t, native) }}
	contracts["http each"] = contract{start: func(t *testing.T) receiver { return httpReceiver(t, one{native}) }}
}
