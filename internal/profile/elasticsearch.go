package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// elasticsearch writes bodies of _bulk, of Elasticsearch and OpenSearch. The document's
// id is the record's, and its version the revision: a repeat, or an older revision,
// changes nothing.
type elasticsearch struct {
	keeper
	index string
}

// indexName is what both servers allow, without the names that are a date or a list.
var indexName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,199}$`)

func newElasticsearch(o Options) (Profile, error) {
	if !indexName.MatchString(o.Index) {
		return nil, errors.New("index must be the name of an index or alias: lower-case letters, digits, dots, - and _")
	}
	return elasticsearch{index: o.Index}, nil
}

// bulkIndex is the line before a document.
type bulkIndex struct {
	Index struct {
		ID          string `json:"_id"`
		Version     int    `json:"version"`
		VersionType string `json:"version_type"`
	} `json:"index"`
}

func (e elasticsearch) Request(items []delivery.Item) (r Request, n int, err error) {
	b, n, err := pack(nil, items, func(b []byte, item *delivery.Item) ([]byte, error) {
		var action bulkIndex
		action.Index.ID, action.Index.Version, action.Index.VersionType = item.ID, item.Revision, "external"
		line, err := json.Marshal(action)
		if err != nil {
			return b, err
		}
		b, err = appendListed(append(append(b, line...), '\n'), item.JSON)
		return append(b, '\n'), err
	})
	return Request{Path: "/" + e.index + "/_bulk?filter_path=items.*.status,items.*.error", Header: contentType("application/x-ndjson"), Body: b}, n, err
}

// appendListed appends a record whose extensions are a list of {name, value}: as names
// of fields, those that reporters choose would fill the index's mapping, and one with
// dots, or with the name of a field of the server's own, would be refused.
func appendListed(b, record []byte) ([]byte, error) {
	from, to := -1, -1
	whole := members(record, func(name []byte, start, end int) {
		if string(name) == `"extensions"` {
			from, to = start, end
		}
	})
	if !whole {
		return b, errNoObject
	}
	if from < 0 {
		return append(b, record...), nil
	}
	b = append(append(b, record[:from]...), '[')
	first, extensions := true, record[from:to]
	whole = members(extensions, func(name []byte, start, end int) {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(b, `{"name":`...), name...)
		b = append(append(append(b, `,"value":`...), extensions[start:end]...), '}')
	})
	if !whole {
		return b, errNoObject
	}
	return append(append(b, ']'), record[to:]...), nil
}

// bulkAnswer is what _bulk answers: an object for each item, in their order.
type bulkAnswer struct {
	Items []map[string]struct {
		Status int `json:"status"`
		Error  struct {
			Type   string `json:"type"`
			Reason string `json:"reason"`
			Cause  struct {
				Reason string `json:"reason"`
			} `json:"caused_by"`
		} `json:"error"`
	} `json:"items"`
}

// unfit are the types of error that are about a document. Others of the status 400, such
// as illegal_argument_exception, may be about the index or the pipeline.
var unfit = []string{"mapper_parsing_exception", "document_parsing_exception", "strict_dynamic_mapping_exception"}

// conflict says that the index has this revision, or a later one.
const conflict = "version_conflict_engine_exception"

// Judge reads the answer item by item. If some of them must wait, all are sent again:
// those that were taken are conflicts then.
func (elasticsearch) Judge(a Answer, n int) error {
	if a.Status == http.StatusRequestEntityTooLarge {
		return Status(a, n)
	}
	if a.Status/100 != 2 { // 400 is about the request, which is ours, or about the index
		return fmt.Errorf("answered %s", a)
	}
	var answer bulkAnswer
	if err := json.Unmarshal(a.Body, &answer); err != nil || len(answer.Items) != n {
		return fmt.Errorf("the answer is none to _bulk for %d records: %s", n, a)
	}
	var refused delivery.Refusals
	for i, item := range answer.Items {
		if len(item) != 1 {
			return fmt.Errorf("the answer has no result for record %d: %s", i+1, a)
		}
		for _, result := range item {
			why := oneLine(fmt.Sprintf("%d %s %s %s", result.Status, result.Error.Type, result.Error.Reason, result.Error.Cause.Reason))
			switch {
			case result.Status/100 == 2, result.Status == http.StatusConflict && result.Error.Type == conflict:
			case result.Status == http.StatusRequestEntityTooLarge, result.Status == http.StatusBadRequest && slices.Contains(unfit, result.Error.Type):
				refused = append(refused, delivery.Refusal{First: i, N: 1, Reason: why})
			default:
				return fmt.Errorf("record %d of %d: %s", i+1, n, why)
			}
		}
	}
	if refused != nil {
		return refused
	}
	return nil
}
