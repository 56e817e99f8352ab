package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/report"
)

// loki writes bodies of Loki's push API in JSON. A line is a record. Its labels have few
// values, none of which a sender can choose.
//
// An entry's time is the time when the request was written, not that of the record: Loki
// refuses what is older than a week, or an hour older than the newest of its stream, and
// records of several folders, or after a failure, would be. The time is stored with the
// request, so a repeat of it is the same entry.
type loki struct {
	keeper
	labels map[string]string
	now    func() time.Time
}

var (
	labelName   = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,99}$`)
	labelsOfOur = []string{"kind", "event", "class", "verdict", "provider"}
)

// lokiLine is the longest line that Loki takes by default (max_line_size). A longer one is
// sent alone: its refusal is about nothing else then.
const lokiLine = 256 << 10

func newLoki(o Options) (Profile, error) {
	labels := map[string]string{"job": "fblwatch"}
	for name, value := range o.Labels {
		if !labelName.MatchString(name) || slices.Contains(labelsOfOur, name) || value == "" {
			return nil, errors.New("labels must be NAME: VALUE, without " + fmt.Sprint(labelsOfOur))
		}
		labels[name] = value
	}
	return loki{labels: labels, now: time.Now}, nil
}

// stream is the labels of an item's stream.
type stream struct{ kind, event, class, verdict, provider string }

func streamOf(item *delivery.Item) stream {
	if item.Kind == delivery.KindAlarm {
		return stream{kind: "alarm"}
	}
	s := stream{"record", "other", "other", "other", "other"}
	if slices.Contains(report.Events, report.Event(item.Event)) {
		s.event = item.Event
	}
	if slices.Contains(report.Classes, report.Class(item.Class)) {
		s.class = item.Class
	}
	switch report.Verdict(item.Verdict) {
	case report.SuppressYes, report.SuppressNo, report.SuppressReview:
		s.verdict = item.Verdict
	}
	if report.Known(item.Provider) {
		s.provider = item.Provider
	}
	return s
}

func (l loki) Request(items []delivery.Item) (r Request, n int, err error) {
	type streamJSON struct {
		Stream map[string]string `json:"stream"`
		Values [][2]string       `json:"values"` // nanoseconds since 1970, line
	}
	var body struct {
		Streams []streamJSON `json:"streams"`
	}
	at, now, size := make(map[stream]int), l.now().UnixNano(), 0
	for n < len(items) {
		item := &items[n]
		if n > 0 && (size+len(item.JSON)+itemRoom > maxBody || len(item.JSON) > lokiLine || len(items[0].JSON) > lokiLine) {
			break
		}
		s := streamOf(item)
		i, known := at[s]
		if !known {
			i, at[s] = len(body.Streams), len(body.Streams)
			labels := maps.Clone(l.labels)
			for name, value := range map[string]string{"kind": s.kind, "event": s.event, "class": s.class, "verdict": s.verdict, "provider": s.provider} {
				if value != "" {
					labels[name] = value
				}
			}
			body.Streams = append(body.Streams, streamJSON{Stream: labels})
		}
		body.Streams[i].Values = append(body.Streams[i].Values, [2]string{strconv.FormatInt(now+int64(n), 10), string(item.JSON)})
		size += len(item.JSON) + bytes.Count(item.JSON, []byte{'"'}) + bytes.Count(item.JSON, []byte{'\\'}) + itemRoom
		n++
	}
	var b bytes.Buffer
	b.Grow(size)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err = e.Encode(body)
	return Request{Path: "/loki/api/v1/push", Header: contentType("application/json"), Body: b.Bytes()}, n, err
}

// tooLong is in Loki's answer to an entry above max_line_size. Such an entry is not
// stored, and all others of the request are.
var tooLong = []byte("max entry size")

// Judge refuses what is too long. Everything else of the status 400 is about the labels,
// the limits or the clock, not about a record.
func (loki) Judge(a Answer, n int) error {
	if a.Status == http.StatusBadRequest && !bytes.Contains(a.Body, tooLong) {
		return fmt.Errorf("answered %s", a)
	}
	return Status(a, n)
}
