package profile

import (
	"testing"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// A path of a config is filled from the record, one segment a value, or there is a reason
// why not. What a probe asks for ends before the first value.
func TestPathOf(t *testing.T) {
	for _, test := range []struct{ path, json, want, skip, start string }{
		{"", `{}`, "", "", ""},
		{"/in?a=b", `{}`, "/in?a=b", "", "/in"},
		{"/t/{tenant}/in?a=b", `{"identity":{"tenant":"a b/c?d#e%ü"}}`, "/t/a%20b%2Fc%3Fd%23e%25%C3%BC/in?a=b", "", "/t/"},
		{"/x-{provider}", `{"provider":"yahoo"}`, "/x-yahoo", "", "/"},
		{"/{provider}/{identity.tenant}", `{"provider":"yahoo","identity":{"tenant":"7"}}`, "/yahoo/7", "", "/"},
		{"/in?t={tenant}", `{"identity":{"tenant":"a&b=c"}}`, "/in?t=a%26b%3Dc", "", "/in"},
		{"/{tenant}", `{}`, "", "the record lacks tenant", "/"},
		{"/{tenant}", `{"identity":{"tenant":""}}`, "", "the record lacks tenant", "/"},
		{"/{tenant}", `{"identity":{"tenant":".."}}`, "", errValue.Error(), "/"},
		{"/{tenant}", `{"identity":{"tenant":"."}}`, "", errValue.Error(), "/"},
		{"/{tenant}", `{"identity":{"tenant":"%2e%2E"}}`, "", errValue.Error(), "/"},
		{"/{tenant}", `{"identity":{"tenant":"a/../../b"}}`, "", errValue.Error(), "/"},
		{"/{tenant}", `{"identity":{"tenant":"..\\b"}}`, "", errValue.Error(), "/"},
		{"/.{tenant}", `{"identity":{"tenant":"."}}`, "", errValue.Error(), "/"},
		{"/{tenant}", `[]`, "", "the record cannot be read", "/"},
	} {
		p, err := ParsePath(test.path)
		if err != nil {
			t.Fatal(err)
		}
		item := &delivery.Item{Row: ledger.Row{Record: ledger.Record{ID: "1.1", JSON: []byte(test.json)}}}
		if got, skip := p.Of(item); got != test.want || skip != test.skip || p.Start() != test.start || p.Fixed() != (test.want == test.path) {
			t.Errorf("%s of %s: %q, skip %q, start %q", test.path, test.json, got, skip, p.Start())
		}
	}
}
