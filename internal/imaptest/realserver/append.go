package realserver

import (
	"fmt"
	"strings"

	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// Append adds messages to a folder by APPEND. If the folder does not exist,
// Append makes it. The connection stays open for the next call. The name is the
// server's own, as Folder returns it.
func (s *Server) Append(folder string, messages ...[]byte) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.append(folder, messages)
	if err != nil {
		s.tb.Fatal(err)
	}
}

func (s *Server) append(folder string, messages [][]byte) (err error) {
	if s.appender == nil {
		if s.appender, err = imaptest.DialRaw(s.PlainAddr(), s.User(), s.Password()); err != nil {
			return err
		}
	}
	for _, message := range messages {
		answer, err := s.appender.Append(folder, message)
		if err == nil && !strings.HasPrefix(answer, "OK") { // not all say TRYCREATE
			s.appender.Ask(fmt.Sprintf("CREATE %q", folder))
			answer, err = s.appender.Append(folder, message)
		}
		if err == nil && !strings.HasPrefix(answer, "OK") {
			err = fmt.Errorf("realserver: APPEND: %s", answer)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Do runs a command on the connection of Append, as another client of the same
// user would. It returns the tagged answer, which must be OK.
func (s *Server) Do(command string) string {
	s.tb.Helper()
	lines := s.Ask(command)
	return lines[len(lines)-1]
}

// Ask is Do, but returns all lines of the answer. The last is the tagged one.
func (s *Server) Ask(command string) []string {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.appender == nil {
		s.appender, err = imaptest.DialRaw(s.PlainAddr(), s.User(), s.Password())
	}
	var lines []string
	if err == nil {
		lines, err = s.appender.Ask(command)
	}
	if err != nil || !strings.HasPrefix(lines[len(lines)-1], "OK") {
		s.tb.Fatalf("%s: %q %v", command, lines, err)
	}
	return lines
}
