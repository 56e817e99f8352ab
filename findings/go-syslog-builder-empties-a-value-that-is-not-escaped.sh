#!/usr/bin/env bash
# github.com/leodido/go-syslog/v4 v4.6.0, package rfc5424: SetParameter wants the value
# of a structured-data parameter escaped already. One with ", \ or ] in it becomes
# empty, and neither SetParameter nor String says so: "c:\temp" and "[1]" are lost. The
# parser hands out values without the escapes; SetParameter loses those, too. What is given
# escaped is in the message as RFC 5424 section 6.3.3 wants it. The comment of
# SetParameter says nothing of it; a test of the package wants it so.
# Output, of the value, and what is in the message:
#   plain: "plain", <nil>
#   c:\temp: "", <nil>
#   [1]: "", <nil>
#   say "hi": "", <nil>
#   say \"hi\": "say \"hi\"", <nil>
#   of the parser: say "hi", in the message: ""
# Needs Go. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module finding

go 1.25
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"
	"strings"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

// built is the value as it is in a message that has it as its only parameter.
func built(value string) (string, error) {
	m := &rfc5424.SyslogMessage{}
	m.SetPriority(165).SetVersion(1).SetParameter("id@32473", "k", value)
	line, err := m.String()
	return strings.TrimSuffix(strings.TrimPrefix(line, "<165>1 - - - - - [id@32473 k="), "]"), err
}

func main() {
	for _, test := range [][2]string{
		{"plain", `"plain"`},
		{`c:\temp`, `""`},
		{"[1]", `""`},
		{`say "hi"`, `""`},
		{`say \"hi\"`, `"say \"hi\""`},
	} {
		got, err := built(test[0])
		fmt.Printf("%s: %s, %v\n", test[0], got, err)
		if got != test[1] || err != nil {
			log.Fatal("it is so no more")
		}
	}
	parsed, err := rfc5424.NewParser().Parse([]byte(`<165>1 - - - - - [id@32473 k="say \"hi\""]`))
	if err != nil {
		log.Fatal(err)
	}
	value := (*parsed.(*rfc5424.SyslogMessage).StructuredData)["id@32473"]["k"]
	again, err := built(value)
	fmt.Printf("of the parser: %s, in the message: %s\n", value, again)
	if value != `say "hi"` || again != `""` || err != nil {
		log.Fatal("it is so no more")
	}
}
GO
go get github.com/leodido/go-syslog/v4@v4.6.0 2>/dev/null
go run .
