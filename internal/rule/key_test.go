package rule

import (
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

func TestKey(t *testing.T) {
	r := &whole{
		Event: report.Complaint, SourcePort: 25, Extensions: map[string][]string{"X-Name": {"first", "second"}},
		Original: &report.Original{Subject: "Offer", To: []string{"a@example.com"}}, Reporter: &report.Reporter{Trusted: true},
	}
	for name, want := range map[string]struct {
		value string
		list  bool
	}{
		"event": {"complaint", false}, "source_port": {"25", false}, "original.subject": {"Offer", false}, "reporter.trusted": {"true", false},
		"original.to": {"a@example.com", true}, "extensions.x-name": {"first", true}, "derived.source_ip": {"", false},
		"source.country": {"", false}, "feedback_type": {"", false}, "received_at": {"", false},
	} {
		key, err := ParseKey(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if value, err := key.Value(r); value != want.value || err != nil || key.IsList() != want.list {
			t.Errorf("%s: %q, %v, list %t, want %+v", name, value, err, key.IsList(), want)
		}
	}
	if _, err := ParseKey("original.subjekt"); err == nil {
		t.Error("an unknown key")
	}
}
