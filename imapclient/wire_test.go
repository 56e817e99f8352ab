package imapclient

import (
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Some connections take octets after Close. A command written then would never
// be answered.
func TestNothingIsWrittenAfterTheEnd(t *testing.T) {
	w := newWire(&canned{r: strings.NewReader("")}, time.Minute, nil)
	if _, err := w.put([]byte("a")); err != nil {
		t.Fatal(err)
	}
	w.end(ErrProtocol)
	w.end(ErrClosed) // the first cause stays
	if n, err := w.put([]byte("a")); n != 0 || !errors.Is(err, ErrProtocol) {
		t.Errorf("wrote %d octets, %v", n, err)
	}
}

// A peer that takes nothing does not hold up a command for ever.
func TestBlockedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer server.Close()
		w := newWire(client, 30*time.Second, nil)
		start := time.Now()
		err := w.send("T1 NOOP", "T1 NOOP")
		var timeout *TimeoutError
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != 30*time.Second || w.ended() != err {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestReadLine(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	w := newWire(&canned{r: strings.NewReader("a\r\nb\n\r\n\r\r\n" + long[:maxLine-1] + "\n" + long + "\n")}, time.Minute, nil)
	for _, want := range []string{"a", "b", "", "\r", long[:maxLine-1]} {
		if got, err := w.readLine(); string(got) != want || err != nil {
			t.Fatalf("%.20q, %v, want %.20q", got, err, want)
		}
	}
	if got, err := w.readLine(); !errors.Is(err, ErrProtocol) {
		t.Errorf("%.20q, %v", got, err)
	}
}

// What goes to a log is one line, and not without end.
func TestDebugLines(t *testing.T) {
	var got []string
	w := newWire(&canned{}, time.Minute, func(line string) { got = append(got, line) })
	w.log("S: ", "a\x1b[31m\r\n\x00b\xff\u0085c")
	w.log("C: ", strings.Repeat("x", 1500))
	if got[0] != "S: a [31m   b\uFFFD c" {
		t.Errorf("%q", got[0])
	}
	if want := "C: " + strings.Repeat("x", 1000) + "... <500 octets more>"; got[1] != want {
		t.Errorf("%q", got[1])
	}
}
