package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// clickhouse inserts records as they are, in the format JSONEachRow.
type clickhouse struct {
	keeper
	table string
}

// tableName is a name that needs no quotes.
var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}(\.[A-Za-z_][A-Za-z0-9_]{0,99})?$`)

func newClickhouse(o Options) (Profile, error) {
	if !tableName.MatchString(o.Table) {
		return nil, errors.New("table must be TABLE or DATABASE.TABLE, of letters, digits and _")
	}
	return clickhouse{table: o.Table}, nil
}

func (c clickhouse) Request(items []delivery.Item) (r Request, n int, err error) {
	b, n, err := pack(nil, items, func(b []byte, item *delivery.Item) ([]byte, error) {
		return append(append(b, item.JSON...), '\n'), nil
	})
	keys, line := sha256.New(), []byte(nil)
	for i := range items[:n] {
		line = append(append(line[:0], items[i].Key()...), '\n')
		keys.Write(line)
	}
	query := url.Values{
		"query": {"INSERT INTO " + c.table + " FORMAT JSONEachRow"},
		// A table of the family MergeTree drops a block whose token it knows: the same
		// records, sent again, are not inserted twice. Asynchronous inserts have no token.
		"insert_deduplication_token":       {hex.EncodeToString(keys.Sum(nil)[:16])},
		"async_insert":                     {"0"},
		"date_time_input_format":           {"best_effort"}, // RFC 3339
		"input_format_skip_unknown_fields": {"1"},           // of later versions of this program
	}
	return Request{Path: "/?" + query.Encode(), Header: contentType("application/x-ndjson"), Body: b}, n, err
}

// rowUnfit are the codes of errors about a value. Others of the status 400, or 500, are
// about the query, the table or the server.
var rowUnfit = []string{
	"6",   // CANNOT_PARSE_TEXT
	"25",  // CANNOT_PARSE_ESCAPE_SEQUENCE
	"26",  // CANNOT_PARSE_QUOTED_STRING
	"27",  // CANNOT_PARSE_INPUT_ASSERTION_FAILED
	"38",  // CANNOT_PARSE_DATE
	"41",  // CANNOT_PARSE_DATETIME
	"69",  // ARGUMENT_OUT_OF_BOUND
	"72",  // CANNOT_PARSE_NUMBER
	"117", // INCORRECT_DATA
	"130", // CANNOT_READ_ARRAY_FROM_TEXT
	"321", // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
	"349", // CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN
	"376", // CANNOT_PARSE_UUID
	"469", // VIOLATED_CONSTRAINT
	"675", // CANNOT_PARSE_IPV4
	"676", // CANNOT_PARSE_IPV6
	"691", // UNKNOWN_ELEMENT_OF_ENUM
}

// Judge goes by the code in the header: all errors about a value are one insert's, which
// inserts nothing then.
func (clickhouse) Judge(a Answer, n int) error {
	code := a.Header.Get("X-ClickHouse-Exception-Code")
	switch {
	case a.Status/100 == 2 && code == "":
		return nil
	case slices.Contains(rowUnfit, code), a.Status == http.StatusRequestEntityTooLarge && code == "":
		return delivery.Refusals{{First: 0, N: n, Reason: a.String()}}
	}
	return fmt.Errorf("answered %s", a)
}
