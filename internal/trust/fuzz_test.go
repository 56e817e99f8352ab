package trust

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// FuzzCheck holds the one promise that matters: a message that is trusted says
// what its signer said, whatever was done to it. No server of ours vouches for
// anything here, so every trust comes from a signature.
func FuzzCheck(f *testing.F) {
	keyring.Lock() // the same keys in every process: found inputs stay valid
	for i, domain := range []string{reporter, sealer, evil} {
		seed := make([]byte, ed25519.SeedSize)
		seed[0] = byte(i)
		if keyring.keys == nil {
			keyring.keys = map[string]crypto.Signer{}
		}
		keyring.keys[domain] = ed25519.NewKeyFromSeed(seed)
	}
	keyring.Unlock()
	dns := publish(f, reporter, sealer, evil)
	conf := config
	conf.AuthservIDs, conf.Hops = nil, nil
	c, err := New(conf, dns, table)
	if err != nil {
		f.Fatal(err)
	}

	believing, err := New(config, dns, table)
	if err != nil {
		f.Fatal(err)
	}

	plain := complaint("feedback@"+reporter, oursOriginal)
	_, body, _ := strings.Cut(plain, "\r\n\r\n")
	for _, message := range []string{
		plain, reframed(f, yahooFields),
		sign(f, plain, reporter, allFields), sign(f, plain, reporter, yahooFields), sign(f, plain, evil, allFields),
		signLength(f, plain, reporter, yahooFields, len(body)),
		seal(f, plain, sealer, "mx; "+dkimPass(reporter), "none", allFields),
		seal(f, plain, sealer, "mx; "+dkimPass(reporter), "none", yahooFields),
		results("mx.example.com", dkimPass(reporter)) + receivedOurs + plain,
		found(" dkim=pass; dmarc=pass header.from="+reporter+"; spf=pass smtp.mailfrom="+reporter) + found(" dkim=none") + sign(f, plain, reporter, yahooFields),
	} {
		f.Add([]byte(message))
		f.Add([]byte(strings.ReplaceAll(message, "\r\n", "\n")))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		checkFuzzed(t, c, message)
		checkFuzzed(t, believing, append([]byte(receivedOurs), message...))
	})
}

func checkFuzzed(t *testing.T, c *Checker, message []byte) {
	before := slices.Clone(message)
	for _, size := range []int64{int64(len(message)), int64(len(message)) + 1} {
		r := report.ParsePrefix(message, size)
		records := r.Records(report.Envelope{Providers: table})
		if len(records) == 0 { // its Reporter says all the same who sent it
			records = make([]report.Record, 1)
		}
		more := c.Check(context.Background(), message, r, records, time.Now(), false)
		for _, rec := range records {
			got := rec.Reporter
			if (got.Auth == pass) != (got.AuthMethod != "" && got.Auth != fail) || got.Trusted && got.Auth != pass {
				t.Errorf("%+v", got)
			}
			if !slices.Contains([]report.Auth{pass, fail, authNone, unchecked}, got.Auth) || (got.Reason == "") != got.Trusted {
				t.Errorf("%+v", got)
			}
			if got.Trusted && r.Kind == report.KindReport && (r.SourceIP != oursOriginal.ip || !slices.Equal(r.OriginalRcptTo, []string{"reader@example.org"}) || r.FeedbackType != "abuse") {
				t.Errorf("trusted, and says %s %s %v", r.FeedbackType, r.SourceIP, r.OriginalRcptTo)
			}
			if got.Trusted && r.Partial() || more && !r.Partial() {
				t.Errorf("by its start: %v, more: %v", got.Trusted, more)
			}
		}
	}
	if !slices.Equal(message, before) {
		t.Error("the mail was changed")
	}
}
