package main

import (
	"bytes"
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var demoRow = regexp.MustCompile(`(?m)^\+([0-9.]+) s +\d{4}-.* complaint +(yes|review) +example.net +user\d+@example.com +192\.0\.2\.\d+ `)

// New samples keep arriving while the demo watches, and each shows within a
// second.
func TestDemo(t *testing.T) {
	defer goleak.VerifyNone(t)
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"fblwatch", "demo", "--count", "5"}, strings.NewReader(""), &stdout, &stderr, env())
	if code != exitDone || stderr.Len() > 0 {
		t.Fatalf("exit %d, stderr %s", code, &stderr)
	}
	rows := demoRow.FindAllStringSubmatch(stdout.String(), -1)
	if len(rows) != 5 {
		t.Fatalf("%d records, want 5:\n%s", len(rows), &stdout)
	}
	verdicts := ""
	for _, row := range rows {
		verdicts += row[2] + " "
		if delay, err := strconv.ParseFloat(row[1], 64); err != nil || delay >= 1 {
			t.Errorf("a record took %s s", row[1])
		}
	}
	if verdicts != "yes yes review yes yes " {
		t.Errorf("verdicts %s", verdicts)
	}
	for _, want := range []string{"Starting an IMAP server", "a bounce came", "fblwatch sweep --url imaps://USER@HOST/FOLDER --dry-run"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("no %q in:\n%s", want, &stdout)
		}
	}
}

// Ctrl-C is how the demo ends.
func TestDemoInterrupted(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"fblwatch", "demo"}, strings.NewReader(""), &stdout, &stderr, env())
	if code != exitDone || stderr.Len() > 0 || !strings.HasSuffix(stdout.String(), "for ever\n") {
		t.Errorf("exit %d, stderr %s, stdout %s", code, &stderr, &stdout)
	}
}
