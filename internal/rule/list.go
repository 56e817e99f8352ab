package rule

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/plainfile"
)

const (
	maxList   = 64 << 20    // octets of a list file
	maxGlobs  = 1_000       // lines of it that are patterns or networks
	listEvery = time.Second // how often a list file is looked at
)

// list is a file with a pattern on each line. It is read again when it changes.
type list struct {
	path string
	now  func() time.Time

	mu     sync.Mutex
	looked time.Time
	state  os.FileInfo // of what was read
	exact  map[string]struct{}
	others []pattern
	err    error // of the last look; what was read before still holds
}

func openList(path string, now func() time.Time) (pattern, error) {
	l := &list{path: path, now: now, looked: now()}
	if err := l.read(); err != nil {
		return pattern{}, err
	}
	return pattern{form: formList, list: l}, nil
}

// read reads the file. On an error the list stays as it was.
func (l *list) read() error {
	state, err := os.Stat(l.path)
	if err != nil {
		return err
	}
	text, err := plainfile.Read(context.Background(), l.path, maxList)
	if err != nil {
		return err
	}
	exact, others, number := make(map[string]struct{}), []pattern(nil), 0
	for line := range bytes.Lines(text) {
		number++
		value := strings.TrimSpace(string(line))
		if value == "" || value[0] == '#' {
			continue
		}
		p, err := parsePattern(value)
		if err == nil && p.form != formExact && len(others) == maxGlobs {
			err = fmt.Errorf("more than %d lines are patterns or networks; others may be any number", maxGlobs)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", l.path, number, err)
		}
		if p.form == formExact {
			exact[p.exact] = struct{}{}
		} else {
			others = append(others, p)
		}
	}
	l.state, l.exact, l.others = state, exact, others
	return nil
}

// refresh reads the file again if it has changed.
func (l *list) refresh() {
	if now := l.now(); now.Sub(l.looked) >= listEvery {
		l.looked = now
		if state, err := os.Stat(l.path); err != nil || !state.ModTime().Equal(l.state.ModTime()) || state.Size() != l.state.Size() {
			l.err = l.read()
		}
	}
}

func (l *list) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *list) holds(value string) bool {
	l.mu.Lock()
	l.refresh()
	exact, others := l.exact, l.others
	l.mu.Unlock()
	if _, ok := exact[strings.ToLower(value)]; ok {
		return true
	}
	for i := range others {
		if others[i].matches(value) {
			return true
		}
	}
	return false
}
