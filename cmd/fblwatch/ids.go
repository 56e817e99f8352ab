package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

var (
	// idForm is the form of the id of a report or a record.
	idForm = regexp.MustCompile(`^[0-9a-f]{32}(\.[0-9]+)?$`)
	// shortForm is the form of an id whose end was left out, but for the number of
	// the record.
	shortForm = regexp.MustCompile(`^[0-9a-f]{4,31}(\.[0-9]+)?$`)
)

// wholeID completes the start of an id, if one message has an id that begins so.
// Any other id it returns as it is.
func wholeID(ctx context.Context, reader ledger.Reader, id string) (string, error) {
	if !shortForm.MatchString(id) {
		return id, nil
	}
	start, number, numbered := strings.Cut(id, ".")
	found, err := reader.ReportIDs(ctx, start, 2)
	switch {
	case err != nil || len(found) == 0:
		return id, err
	case len(found) > 1:
		return "", wrong(fmt.Errorf("more than one id begins with %s", start), "give more digits of it")
	case numbered:
		return found[0] + "." + number, nil
	}
	return found[0], nil
}
