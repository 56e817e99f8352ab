package demo

import (
	"bytes"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/fblwatch/fblwatch/internal/sample"
)

// What the demo signs is what others verify too.
func TestDemoSigns(t *testing.T) {
	signer, err := newSigner()
	if err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		verified, err := dkim.VerifyWithOptions(bytes.NewReader(signer.sign(sample.Report(n, 0))), &dkim.VerifyOptions{
			LookupTXT: func(name string) ([]string, error) { return signer.LookupTXT(t.Context(), name) },
		})
		if err != nil || len(verified) != 1 || verified[0].Err != nil || verified[0].Domain != "fbl.example.net" {
			t.Fatalf("%d: %+v, %v", n, verified, err)
		}
	}
}
