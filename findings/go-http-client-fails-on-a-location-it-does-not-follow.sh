#!/usr/bin/env bash
# Go 1.26.8, net/http: a Client whose CheckRedirect returns ErrUseLastResponse follows
# no redirect, and returns the response "with its body unclosed, along with a nil error",
# as the comment says. But Do parses Location before it asks CheckRedirect. If it cannot,
# as with a bare "%" in it, there is an error and no response: status, header and body are
# lost. A program that wants to see any 3xx must call RoundTrip of the Transport.
# Output:
#   Location: /next: 302, <nil>
#   Location: /100%25: 302, <nil>
#   Location: /100%: no response, failed to parse Location header
#   Location: /100%, by RoundTrip: 302, <nil>
# Needs Go; it gets Go 1.26.8 if that is another one. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module finding

go 1.26
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
)

func main() {
	location := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, location = range []string{"/next", "/100%25", "/100%"} {
		response, err := client.Get(server.URL)
		if location != "/100%" {
			if err != nil {
				log.Fatal(err)
			}
			response.Body.Close()
			fmt.Printf("Location: %s: %d, %v\n", location, response.StatusCode, err)
			continue
		}
		if response != nil || err == nil || !strings.Contains(err.Error(), "failed to parse Location header") {
			log.Fatal("it is so no more: ", err)
		}
		fmt.Printf("Location: %s: no response, failed to parse Location header\n", location)
	}
	request, err := http.NewRequest(http.MethodGet, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		log.Fatal(err)
	}
	response.Body.Close()
	fmt.Printf("Location: %s, by RoundTrip: %d, %v\n", location, response.StatusCode, err)
}
GO
GOTOOLCHAIN=go1.26.8 go run .
