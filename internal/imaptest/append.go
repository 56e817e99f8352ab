package imaptest

import (
	"fmt"
	"strconv"
	"strings"
)

// Append adds messages to a folder by IMAP's APPEND, over a connection that stays
// open for the next call; it makes the folder where there is none. The name is
// the server's own, as Folder tells.
func (s *RealServer) Append(folder string, messages ...[]byte) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.append(folder, messages)
	if err != nil {
		s.tb.Fatal(err)
	}
}

func (s *RealServer) append(folder string, messages [][]byte) (err error) {
	if s.appender == nil {
		if s.appender, err = dialRaw(s.PlainAddr(), s.User(), s.Password()); err != nil {
			return err
		}
	}
	for _, message := range messages {
		answer, err := s.appender.append(folder, message)
		if err == nil && !strings.HasPrefix(answer, "OK") { // not all say TRYCREATE
			s.appender.do("CREATE " + quote(folder))
			answer, err = s.appender.append(folder, message)
		}
		if err == nil && !strings.HasPrefix(answer, "OK") {
			err = fmt.Errorf("imaptest: APPEND: %s", answer)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Do runs a command over the connection that Append uses, as another client of
// the same user would, and returns the tagged answer. It must be OK.
func (s *RealServer) Do(command string) string {
	s.tb.Helper()
	lines := s.Ask(command)
	return lines[len(lines)-1]
}

// Ask is Do that returns the untagged lines of the answer before the tagged one.
func (s *RealServer) Ask(command string) []string {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.appender == nil {
		s.appender, err = dialRaw(s.PlainAddr(), s.User(), s.Password())
	}
	var lines []string
	if err == nil {
		lines, err = s.appender.ask(command)
	}
	if err != nil || !strings.HasPrefix(lines[len(lines)-1], "OK") {
		s.tb.Fatalf("%s: %q %v", command, lines, err)
	}
	return lines
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	check(err)
	return n
}
