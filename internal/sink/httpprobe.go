package sink

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/profile"
	"github.com/fblwatch/fblwatch/internal/remote"
)

// probeHTTP makes the requests of a profile that knows how to try its receiver. For any
// other it sends HEAD.
func probeHTTP(ctx context.Context, c Config) (said string, err error) {
	p, err := profile.New(c.profileOptions())
	if err != nil {
		return "", err
	}
	return probeWith(ctx, c, p)
}

func probeWith(ctx context.Context, c Config, p profile.Profile) (said string, err error) {
	client, err := newHTTPClient(c, p)
	if err != nil {
		return "", err
	}
	defer client.close()
	trial := profile.Request{Header: make(http.Header), Body: []byte("{}")}
	if err := p.Sign(&trial, time.Now()); err != nil { // HEAD is not signed
		return "", fmt.Errorf("signature: %w", err)
	}
	probes := []profile.Probe{{Request: profile.Request{Method: http.MethodHead}, Judge: judgeHead}}
	if prober, ok := p.(profile.Prober); ok {
		probes = prober.Probes()
	}
	place, err := parsePlace(c.Remote)
	if err != nil {
		return "", err
	}
	said = shownURL(client.base) + ":"
	for _, probe := range probes {
		answer, err := client.do(ctx, place.Start(), probe.Request, "")
		if err != nil {
			return "", err
		}
		text, err := probe.Judge(answer)
		if err != nil {
			return "", client.explain(answer, err)
		}
		if text != "" {
			said += " " + strings.TrimSpace(text) + ";"
		}
	}
	if client.base.Scheme == "http" && !remote.IsLoopback(client.base.Hostname()) {
		said += " records go there in clear;"
	}
	return strings.TrimRight(said, ":;"), nil
}

// judgeHead takes every answer that a receiver which knows only POST may give.
func judgeHead(a profile.Answer) (said string, err error) {
	switch {
	case a.Status >= http.StatusInternalServerError, a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden, a.Status == http.StatusProxyAuthRequired:
		return "", fmt.Errorf("answered %s", a)
	}
	return fmt.Sprintf("answered HEAD with %d %s", a.Status, http.StatusText(a.Status)), nil
}
