package identify

import (
	"cmp"
	"fmt"
	"reflect"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// samples are n reports, each with the fields that of makes for its number.
func samples(n int, of func(i int) []string) (all []*report.Report) {
	for i := range n {
		all = append(all, report.Parse(complaint(of(i)...)))
	}
	return all
}

func TestPropose(t *testing.T) {
	tests := []struct {
		name string
		n    int // samples; 0: 6
		of   func(i int) []string
		want []Proposal
	}{
		{"two who complained twice", 20, func(i int) []string { return []string{fmt.Sprintf("X-Ref: ex.c%d.%06x", i%2, 0xabc000+i%18)} },
			[]Proposal{{Rule{From: "original:x-ref", Match: `^ex\.(?P<campaign>[0-9A-Za-z]+)\.(?P<subscriber>[0-9a-f]{6})$`}, 20, "ex.c0.abc000"}}},
		{"three who complained twice", 20, func(i int) []string { return []string{fmt.Sprintf("X-Ref: ex.%06x", 0xabc000+i%17)} }, nil},
		{"one of six who complained twice", 0, func(i int) []string { return []string{fmt.Sprintf("X-Ref: ex.%06x", 0xabc000+i%5)} }, nil},
		{"a token, and a mail's own number", 20, func(i int) []string { return []string{fmt.Sprintf("X-Ref: %06x.%d", 0xabc000+i%18, 1000+i)} }, nil},
		{"a token, a mail's own number, and who complained", 20, func(i int) []string {
			return []string{fmt.Sprintf("X-Ref: %06x.%d", 0xabc000+i%18, 1000+i), fmt.Sprintf("report:Original-Rcpt-To: u%d@example.org", i%18)}
		}, []Proposal{{Rule{From: "original:x-ref", Match: `^(?P<subscriber>[0-9a-f]{6})\.[0-9]+$`}, 20, "abc000.1000"}}},
		{"a mail's own number, and who complained", 20, func(i int) []string {
			return []string{fmt.Sprintf("X-Ref: %d", 1000+i), fmt.Sprintf("report:Original-Rcpt-To: u%d@example.org", i%18)}
		}, nil},
		{"a number that two people have", 20, func(i int) []string {
			return []string{fmt.Sprintf("X-Ref: %d", 1000+i%19), fmt.Sprintf("report:Original-Rcpt-To: u%d@example.org", i)}
		}, nil},
		{"encoded", 0, func(i int) []string {
			return []string{fmt.Sprintf("X-Ref: =?us-ascii?Q?ex=2E?=\r\n =?us-ascii?Q?%06x?=", 0xabc000+i)}
		}, []Proposal{{Rule{From: "original:x-ref", Match: `^ex\.(?P<subscriber>[0-9a-f]{6})$`}, 6, "ex.abc000"}}},
		{"campaign and subscriber", 0, func(i int) []string {
			return []string{fmt.Sprintf("X-Ref: ex.c%d.%06x", i%2, 0xabc000+i), "X-Version: 3.1", fmt.Sprintf("Received: from a%04d by b", i)}
		}, []Proposal{{Rule{From: "original:x-ref", Match: `^ex\.(?P<campaign>[0-9A-Za-z]+)\.(?P<subscriber>[0-9a-f]{6})$`}, 6, "ex.c0.abc000"}}},
		{"envelope sender", 0, func(i int) []string { return []string{fmt.Sprintf("Return-Path: <b-%d@example.com>", 1000*(i+1))} },
			[]Proposal{{Rule{From: "mailfrom", Match: `^b-(?P<subscriber>[0-9]+)@example\.com$`}, 6, "b-1000@example.com"}}},
		{"UUID", 0, func(i int) []string { return []string{fmt.Sprintf("X-Ref: <%s%d>", uuid1[:35], i)} },
			[]Proposal{{Rule{From: "original:x-ref", Match: `^<(?P<subscriber>[0-9A-Fa-f-]{36})>$`}, 6, "<" + uuid1[:35] + "0>"}}},
		{"the same in all", 0, func(int) []string { return []string{"X-Ref: abc123"} }, nil},
		{"two that differ in all", 0, func(i int) []string { return []string{fmt.Sprintf("X-Ref: %d-%d", 1000+i, 2000+i)} }, nil},
		{"too short", 0, func(i int) []string { return []string{fmt.Sprintf("X-Ref: %d", i)} }, nil},
		{"of no common shape", 0, func(i int) []string { return []string{"X-Ref: abc" + "-.-/-:-.-"[i:i+2] + fmt.Sprint(1000+i)} }, nil},
		{"in one mail of three", 0, func(i int) []string {
			if i%3 == 0 {
				return []string{fmt.Sprintf("X-Ref: %d", 1000+i)}
			}
			return nil
		}, nil},
		{"repeated", 0, func(i int) []string {
			return []string{fmt.Sprintf("X-Ref: %d", 1000+i), fmt.Sprintf("X-Ref: %d", 2000+i)}
		}, nil},
		{"blotted out", 0, func(i int) []string { return []string{fmt.Sprintf("X-Ref: redacted%d", 1000+i)} }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Propose(samples(cmp.Or(test.n, 6), test.of))
			if len(got) != len(test.want) || len(got) > 0 && !reflect.DeepEqual(got, test.want) {
				t.Fatalf("it proposes %+v, want %+v", got, test.want)
			}
			for _, p := range got { // what it proposes works
				if records := identify(t, Config{Presets: "none", Rules: []Rule{p.Rule}}, test.of(4)...); records[0].Identity.Status != "identified" {
					t.Errorf("with %s the mail is %s", p.Rule.Match, records[0].Identity.Status)
				}
			}
		})
	}
	if got := Propose(nil); got != nil {
		t.Errorf("of nothing it proposes %+v", got)
	}
}
