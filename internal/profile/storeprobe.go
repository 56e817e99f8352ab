package profile

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// probe asks for a path.
func probe(path string, judge func(a Answer) (said string, err error)) []Probe {
	return []Probe{{Request: Request{Method: http.MethodGet, Path: path}, Judge: judge}}
}

// Probes ask who the server is. A user that may only write to the index is refused that.
func (elasticsearch) Probes() []Probe {
	return probe("", func(a Answer) (said string, err error) {
		var server struct {
			Version struct {
				Distribution string `json:"distribution"`
				Number       string `json:"number"`
			} `json:"version"`
		}
		switch {
		case a.Status == http.StatusForbidden:
			return "it knows the user; whether the user may write is unknown", nil
		case a.Status != http.StatusOK:
			return "", fmt.Errorf("answered %s", a)
		case json.Unmarshal(a.Body, &server) != nil || server.Version.Number == "":
			return "", fmt.Errorf("is neither Elasticsearch nor OpenSearch: %s", a)
		case server.Version.Distribution != "":
			return oneLine(server.Version.Distribution + " " + server.Version.Number), nil
		}
		return oneLine("Elasticsearch " + server.Version.Number), nil
	})
}

// Probes ask whether the table is there.
func (c clickhouse) Probes() []Probe {
	query := url.Values{"query": {"EXISTS TABLE " + c.table}}
	return probe("/?"+query.Encode(), func(a Answer) (said string, err error) {
		if err := c.Judge(a, 0); err != nil {
			return "", fmt.Errorf("answered %s", a)
		}
		switch strings.TrimSpace(string(a.Body)) {
		case "1":
			return "it has the table", nil
		case "0":
			return "", fmt.Errorf("has no table %s", c.table)
		}
		return "", fmt.Errorf("is not ClickHouse: %s", a)
	})
}

// Probes ask for HEC's health, which needs no token.
func (splunk) Probes() []Probe {
	return probe("/services/collector/health", func(a Answer) (said string, err error) {
		if a.Status != http.StatusOK {
			return "", fmt.Errorf("answered %s", a)
		}
		return "HEC is there; whether it takes the token is unknown", nil
	})
}

// Probes GET what takes POST alone: a user that may only write has nothing to read.
func (loki) Probes() []Probe {
	return probe("/loki/api/v1/push", func(a Answer) (said string, err error) {
		if a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden || a.Status >= http.StatusInternalServerError {
			return "", fmt.Errorf("answered %s", a)
		}
		return fmt.Sprintf("its push API answered GET with %d", a.Status), nil
	})
}
