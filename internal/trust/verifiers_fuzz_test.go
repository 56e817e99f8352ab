package trust

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// FuzzVerify: a signature that verifies here does so in go-msgauth, but for what
// docs/verifiers.md says of that.
func FuzzVerify(f *testing.F) {
	dns := &zone{records: make(map[string][]string)}
	for _, s := range signedReports() {
		if message := s.message(f, dns); len(message) < 8<<10 {
			f.Add([]byte(message))
		}
	}
	c, err := New(config, dns, table)
	if err != nil {
		f.Fatal(err)
	}
	lookup := func(name string) ([]string, error) { return dns.LookupTXT(context.Background(), name) }
	f.Fuzz(func(t *testing.T, message []byte) {
		m, err := readMessage(message)
		if err != nil || len(message) > 16<<10 || len(m.fields) > 100 {
			return // go-msgauth takes the square of some of it
		}
		sigs, err := m.signatures()
		if err != nil || len(sigs) > 8 {
			return
		}
		var found []*dkim.Verification
		for i := range sigs {
			if sigs[i].domain == "" || c.verify(t.Context(), m, &sigs[i], time.Now()) != nil {
				continue
			}
			if found == nil {
				if found, err = dkim.VerifyWithOptions(strings.NewReader(string(m.all)), &dkim.VerifyOptions{LookupTXT: lookup}); err != nil || len(found) != len(sigs) {
					t.Fatalf("go-msgauth finds %d signatures of %d: %v", len(found), len(sigs), err)
				}
			}
			if err := found[i].Err; err != nil && !isKnown(err.Error(), &sigs[i]) {
				t.Errorf("go-msgauth: %v\n%s", err, sigs[i].field.raw)
			}
		}
	})
}

// isKnown reports whether docs/verifiers.md has what go-msgauth says.
func isKnown(says string, s *signature) bool {
	for _, why := range []string{"domain mismatch", "insecure body length", "multiple TXT records", "illegal base64"} {
		if strings.Contains(says, why) {
			return true
		}
	}
	for name := range s.tags {
		if len(name) > 1 && strings.HasSuffix(name, "b") {
			return true
		}
	}
	return false
}
