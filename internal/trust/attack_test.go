package trust

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/fblwatch/fblwatch/report"
)

// What a signer's key may be used for, by its record alone (RFC 6376 section
// 3.6.1, RFC 8301).
func TestReadKey(t *testing.T) {
	p := strings.TrimPrefix(keyRecord(t, keyOf(t, reporter)), "v=DKIM1; ") // k= and p=
	weak := rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 511), big.NewInt(1)), E: 65537}
	for record, want := range map[string]error{
		"v=DKIM1; " + p:                         nil,
		p:                                       nil,
		"v=DKIM1; s=email; h=sha256; " + p:      nil,
		"v=DKIM1; s=x:*; h=sha1 : sha256; " + p: nil,
		"v=DKIM1; t=s; " + p:                    nil,
		"v=DKIM1; t=; n=note; " + p:             nil,
		"v=DKIM1; s=tlsrpt; " + p:               errKey,
		"v=DKIM1; h=sha1; " + p:                 errKey,
		"v=DKIM1; t=y; " + p:                    errTesting,
		"v=DKIM1; t=s:y; " + p:                  errTesting,
		"v=DKIM2; " + p:                         errKey,
		"v=DKIM1; k=rsa":                        errKey,
		"v=DKIM1; k=rsa; p=":                    errNoKey,
		"v=DKIM1; k=dsa; p=AAAA":                errKey,
		"v=DKIM1; k=rsa; p=!":                   errKey,
		"v=DKIM1; k=ed25519; p=AAAA":            errKey,
		"v=DKIM1; " + p + "; p=AAAA":            errKey,
		"v=DKIM1; k=rsa; p=" + b64(weak, false): errKey,
		"v=DKIM1; k=rsa; p=" + b64(weak, true):  errKey,
		"v=spf1 include:x -all":                 errKey,
		"":                                      errKey,
	} {
		if _, err := readKey(record); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%.60s: %v, want %v", record, err, want)
		}
	}
}

func b64(key rsa.PublicKey, pkix bool) string {
	der := x509.MarshalPKCS1PublicKey(&key)
	if pkix {
		der, _ = x509.MarshalPKIXPublicKey(&key)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// None of these makes an attacker a known reporter, however he writes his From
// and signs for his domain.
func TestAttackers(t *testing.T) {
	const feedback = "feedback@" + reporter
	plain := complaint(feedback, oursOriginal)
	field := "From: <" + feedback + ">\r\n"
	if !strings.HasPrefix(plain, field) {
		t.Fatal("no From in front")
	}
	from := func(v string) string { return "From: " + v + "\r\n" + plain[len(field):] }
	var froms = map[string]string{
		"name":                  `"` + feedback + `" <x@evil.example>`,
		"name, unquoted":        feedback + " <x@evil.example>",
		"comment":               "x@evil.example (" + feedback + ")",
		"comment in front":      "(" + feedback + ") x@evil.example",
		"comment within":        "x(<" + feedback + ">)@evil.example",
		"two":                   feedback + ", x@evil.example",
		"two, the other way":    "x@evil.example, " + feedback,
		"group":                 feedback + ": x@evil.example;",
		"group of two":          "g: " + feedback + ", x@evil.example;",
		"group, then":           "g: ;" + feedback + ", x@evil.example",
		"encoded":               "=?utf-8?q?feedback=40fbl.example.net?= <x@evil.example>",
		"encoded list":          "=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte("<"+feedback+">,")) + "?= <x@evil.example>",
		"route":                 "<@" + reporter + ":x@evil.example>",
		"quoted local part":     `"` + feedback + `"@evil.example`,
		"two brackets":          "<" + feedback + "> <x@evil.example>",
		"two brackets, reverse": "<x@evil.example> <" + feedback + ">",
		"folded":                "<" + feedback + ">,\r\n <x@evil.example>",
		"semicolon":             feedback + "; x@evil.example",
		"open quote":            `"` + feedback + ` <x@evil.example>`,
		"none":                  "Feedback <feedback at " + reporter + ">",
		"control":               feedback + "\x00@evil.example",
		"a domain like it":      "<feedback@" + reporter + ".evil.example>",
		"a domain above it":     "<feedback@example.net>",
	}
	for name, v := range froms {
		message := from(v)
		for _, signed := range []string{
			sign(t, message, evil, allFields), sign(t, message, reporter+"."+evil, allFields),
			results("mx.example.com", dkimPass(evil)) + receivedOurs + message,
			results("mx.example.com", "dkim=pass header.d="+evil+" header.i=@"+reporter) + receivedOurs + message,
			results("mx.example.com", `dkim=pass header.i="`+feedback+`"@`+evil) + receivedOurs + message,
		} {
			got := check(t, config, publish(t, reporter, evil, reporter+"."+evil), signed, true, time.Time{}, false)
			if got.Trusted || got.Auth == pass && got.AuthDomain == reporter {
				t.Errorf("%s: %+v", name, got)
			}
		}
		// Two authors of one organisation are two all the same.
		message = from(strings.ReplaceAll(v, evil, "x."+reporter))
		got := check(t, config, publish(t, reporter), sign(t, message, reporter, allFields), true, time.Time{}, false)
		if two := strings.ContainsAny(v, ",;") && strings.Contains(v, feedback) || strings.Contains(v, "> <"); two && got.Trusted {
			t.Errorf("%s: %+v", name, got)
		}
	}

	for name, message := range map[string]string{
		"d= of the attacker, i= of the provider": strings.Replace(sign(t, plain, evil, allFields), "d="+evil, "d="+evil+"; i=@"+reporter, 1),
		"d= behind the provider's":               sign(t, plain, reporter+"."+evil, allFields),
		"a property stands twice":                results("mx.example.com", "dkim=pass header.d="+reporter+" header.d="+evil) + receivedOurs + plain,
		"two results, both spellings":            results("mx.example.com", "dkim=pass header.d="+evil+" HEADER.D="+reporter) + receivedOurs + plain,
		"an id that begins like ours":            results("mx.example.com.evil.example", dkimPass(reporter)) + receivedOurs + plain,
		"an id that ends like ours":              results("x.mx.example.com", dkimPass(reporter)) + receivedOurs + plain,
		"our id as a comment":                    results("(mx.example.com) x", dkimPass(reporter)) + receivedOurs + plain,
		"our id quoted, and another":             results(`"mx.example.com" x.example; y`, dkimPass(reporter)) + receivedOurs + strings.Replace(plain, "From", "X-From", 1),
		"envelope of a domain that many share":   results("mx.example.com", "spf=pass smtp.mailfrom=x@hotmail.com") + receivedOurs + complaint("staff@hotmail.com", oursOriginal),
		"an Authentication-Results cut by a hop": receivedOurs + receivedTheir + receivedOurs + results("mx.example.com", dkimPass(reporter)) + plain,
		"a Received within a comment of another": "Received: from x (by mx.example.com) by out.evil.example; Mon, 1 Jun 2026 10:00:00 +0000\r\n" + results("mx.example.com", dkimPass(reporter)) + receivedTheir + plain,
		"l=0":                                    signLength(t, plain, reporter, allFields, 0),
		"a From that is not signed":              sign(t, strings.Replace(plain, "From:", "Sender:", 1), reporter, []string{"Sender", "Subject"}, fromless) + "",
	} {
		if got := check(t, config, publish(t, reporter, evil, reporter+"."+evil, "hotmail.com"), message, true, time.Time{}, false); got.Trusted {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// fromless keeps go-msgauth from refusing what it would not verify.
func fromless(o *dkim.SignOptions) { o.HeaderKeys = append(o.HeaderKeys, "From") }

// What the key says of its use holds for every way to sign.
func TestKeysForAnotherUse(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	_, body, _ := strings.Cut(plain, "\r\n\r\n")
	messages := map[string]string{
		"dkim":      sign(t, plain, reporter, allFields),
		"dkim, l=":  signLength(t, plain, reporter, allFields, len(body)),
		"arc":       seal(t, plain, sealer, "x; "+dkimPass(reporter), "none", allFields),
		"dkim, i=":  sign(t, plain, reporter, allFields, func(o *dkim.SignOptions) { o.Identifier = "x@a." + reporter }),
		"dkim, sub": sign(t, complaint("feedback@a."+reporter, oursOriginal), reporter, allFields),
	}
	for _, test := range []struct {
		tag     string
		trusted string // of the messages
	}{
		{"", "arc dkim dkim,_i= dkim,_l= dkim,_sub"},
		{"s=email; ", "arc dkim dkim,_i= dkim,_l= dkim,_sub"},
		{"t=s; ", "arc dkim dkim,_l= dkim,_sub"},
		{"t=y; ", ""},
		{"s=other; ", ""},
		{"h=sha1; ", ""},
	} {
		for name, message := range messages {
			dns := publish(t, reporter, sealer)
			for name, records := range dns.records {
				dns.records[name] = []string{"v=DKIM1; " + test.tag + strings.TrimPrefix(records[0], "v=DKIM1; ")}
			}
			got := check(t, config, dns, message, true, time.Time{}, false)
			want := strings.Contains(" "+test.trusted+" ", " "+strings.ReplaceAll(name, " ", "_")+" ")
			if got.Trusted != want {
				t.Errorf("%s%s: %+v", test.tag, name, got)
			}
			if !got.Trusted && got.Auth != unchecked && test.tag != "t=s; " {
				t.Errorf("%s%s: %+v, want unchecked", test.tag, name, got)
			}
		}
	}
}

// SHA-1 proves nothing any more (RFC 8301 section 3.1), whoever signs.
func TestSHA1(t *testing.T) {
	const domain = "rsa.example" // a key of RSA, by the length of its name
	plain := complaint("feedback@"+domain+"x", oursOriginal)
	plain = strings.ReplaceAll(plain, domain+"x", domain)
	for _, l := range []string{"", "l=%; "} {
		_, body, _ := strings.Cut(plain, "\r\n\r\n")
		bodyHash := sha1.Sum([]byte(body))
		field := "DKIM-Signature: v=1; a=rsa-sha1; c=relaxed/simple; d=" + domain + "; s=s; " + strings.Replace(l, "%", "999999", 1) + "h=From; bh=" + base64.StdEncoding.EncodeToString(bodyHash[:]) + "; b="
		data := sha1.Sum([]byte("from:<feedback@" + domain + ">\r\n" + strings.TrimRight(relax(field), "\r\n")))
		key, ok := keyOf(t, domain+"x").(*rsa.PrivateKey)
		if !ok {
			t.Fatal("no key of RSA")
		}
		sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA1, data[:])
		if err != nil {
			t.Fatal(err)
		}
		dns := publish(t)
		dns.records["s._domainkey."+domain] = []string{keyRecord(t, key)}
		conf := config
		conf.Reporters = []string{domain}
		if got := check(t, conf, dns, field+base64.StdEncoding.EncodeToString(sig)+"\r\n"+plain, true, time.Time{}, false); got.Trusted || got.Auth != fail {
			t.Errorf("%s%+v", l, got)
		}
	}
}

// The same message with names in capitals, or its signature there twice, is as
// genuine as before.
func TestSpellings(t *testing.T) {
	plain := complaint("Feedback@FBL.Example.NET", oursOriginal)
	signed := sign(t, plain, reporter, allFields)
	upper := sign(t, plain, "FBL.Example.NET", allFields, func(o *dkim.SignOptions) { o.Signer = keyOf(t, reporter) })
	only := signed[:strings.Index(signed, "\r\nFrom:")+2]
	for name, message := range map[string]string{
		"From":           signed,
		"d=":             upper,
		"twice":          only + signed,
		"header.d":       results("MX.Example.COM", "DKIM=Pass Header.D=FBL.Example.NET.") + receivedOurs + signed,
		"between others": sign(t, sign(t, signed, evil, allFields), "b."+evil, allFields),
	} {
		if got := check(t, config, publish(t, reporter, evil, "b."+evil), message, true, time.Time{}, false); !got.Trusted {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A seal over a signature that has expired proves no more than that one.
func TestExpiredSeal(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	_, body, _ := strings.Cut(plain, "\r\n\r\n")
	conf := config
	conf.DKIM = new(false)
	for _, test := range []struct {
		expires, received time.Duration
		want              report.Auth
	}{{time.Hour, 0, pass}, {-time.Hour, 0, authNone}, {-time.Hour, -2 * time.Hour, unchecked}} {
		found := "ARC-Authentication-Results: i=1; x; " + dkimPass(reporter) + "\r\n"
		message := signSimple(t, plain, sealer, "ARC-Message-Signature: i=1; ", fmt.Sprintf("x=%d; ", time.Now().Add(test.expires).Unix()), allFields, len(body))
		mail := signField(t, sealer, relax(found)+relax(message), fmt.Sprintf("ARC-Seal: i=1; a=%s; cv=none; d=%s; s=s; b=", algorithm(t, sealer), sealer)) + message + found + plain
		if got := check(t, conf, publish(t, sealer), mail, true, time.Now().Add(test.received), false); got.Auth != test.want {
			t.Errorf("%v, %v: %+v", test.expires, test.received, got)
		}
	}
}

// Whoever has a topic of SNS can have it send us anything; and a complaint of
// SES that it delivers is one that anybody can write.
func TestTopicIsAnybodys(t *testing.T) {
	const from = "no-reply@sns.amazonaws.com"
	json := `{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"victim@example.org"}],"timestamp":"2026-06-01T10:00:00.000Z","feedbackId":"1","complaintFeedbackType":"abuse"},` +
		`"mail":{"timestamp":"2026-06-01T09:00:00.000Z","messageId":"1","source":"news@example.com","sourceIp":"192.0.2.7","destination":["victim@example.org"]}}`
	message := crlfs("From: AWS Notifications <" + from + ">\nTo: fbl@example.com\nSubject: AWS Notification Message\nDate: " + time.Now().UTC().Format(time.RFC1123Z) +
		"\nMessage-ID: <1@sns.amazonaws.com>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\n" + json + "\n")
	fields := append(slices.Clone(allFields), "Content-Transfer-Encoding")
	message = sign(t, sign(t, message, "sns.amazonaws.com", fields), "amazonses.com", fields)
	dns := publish(t, "sns.amazonaws.com", "amazonses.com")
	got := check(t, config, dns, message, true, time.Time{}, false)
	if got.Auth != pass || got.Trusted || got.Reason != "sns.amazonaws.com is no known reporter" {
		t.Errorf("%+v", got)
	}
}
