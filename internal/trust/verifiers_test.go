package trust

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// TestVerifiers holds our verifier and go-msgauth to what RFC 6376, 8301, 8463
// and 8616 make of signed reports. What either says otherwise stands in
// docs/verifiers.md with its reason, and only that stands there. The reports are
// made by a signer of the test's own, the same each time.
//
// scripts/verifiers has it write them into the directory of FBLWATCH_VERIFIERS,
// has other verifiers read them there, and has it compare what those say, which
// is in NAME.tsv for the verifier NAME.
func TestVerifiers(t *testing.T) {
	dir := os.Getenv("FBLWATCH_VERIFIERS")
	reports := signedReports()
	if len(reports) < 100 {
		t.Errorf("only %d reports", len(reports))
	}
	dns := &zone{records: make(map[string][]string)}
	said := map[string]map[string]string{"fblwatch": {}, "go-msgauth": {}}
	want := make(map[string]string)
	messages := make(map[string]string)
	for _, s := range reports {
		if want[s.slug()] != "" {
			t.Fatalf("two are named %q", s.slug())
		}
		want[s.slug()], messages[s.slug()] = s.want, s.message(t, dns)
	}
	c, err := New(config, dns, table)
	if err != nil {
		t.Fatal(err)
	}
	for name, message := range messages {
		said["fblwatch"][name] = c.sayOf(t, message)
		said["go-msgauth"][name] = byGoMsgauth(message, dns)
	}
	if dir != "" {
		writeReports(t, dir, messages, dns)
		for verifier, results := range readResults(t, dir) {
			said[verifier] = results
		}
	}

	known := readDifferences(t)
	for verifier, results := range said {
		for name, result := range results {
			if _, there := want[name]; !there {
				t.Errorf("%s: no report is named %s", verifier, name)
			}
			verdict, detail, _ := strings.Cut(result, "\t")
			switch id := [2]string{name, verifier}; {
			case verdict == pass && want[name] != pass:
				t.Errorf("%s: %s passes what must not pass", name, verifier)
			case verdict == want[name] && known[id] != "":
				t.Errorf("%s: %s says %s, as it should; docs/verifiers.md has it otherwise", name, verifier, verdict)
			case verdict != want[name] && known[id] != verdict:
				t.Errorf("%s: %s says %s, want %s (%s)", name, verifier, verdict, want[name], detail)
			}
		}
	}
	for id := range known {
		if results, ran := said[id[1]]; ran && results[id[0]] == "" {
			t.Errorf("docs/verifiers.md has %s of %s, of which there is no report", id[0], id[1])
		}
	}
}

// sayOf is pass where one of the signatures that may speak for the From verifies,
// else fail.
func (c *Checker) sayOf(t *testing.T, message string) string {
	t.Helper()
	m, err := readMessage([]byte(message))
	if err != nil {
		t.Fatal(err)
	}
	sigs, err := m.signatures()
	if err != nil {
		t.Fatal(err)
	}
	why := "not signed"
	for i := range sigs {
		if !c.aligned(sigs[i].domain, domainOf(strings.TrimSpace(m.named("from")[0].value()))) {
			continue
		}
		if err := c.verify(t.Context(), m, &sigs[i], time.Now()); err != nil {
			why = err.Error()
			continue
		}
		return pass
	}
	return fail + "\t" + why
}

// byGoMsgauth is pass where one of the signatures verifies, else fail.
func byGoMsgauth(message string, dns *zone) string {
	found, err := dkim.VerifyWithOptions(strings.NewReader(message), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return dns.LookupTXT(context.Background(), name) },
	})
	for _, v := range found {
		if err = errors.Join(err, v.Err); v.Err == nil {
			return pass
		}
	}
	if err == nil {
		return fail + "\tno signature"
	}
	return fail + "\t" + strings.ReplaceAll(err.Error(), "\n", "; ")
}

// writeReports writes each report, and all keys.
func writeReports(t *testing.T, dir string, messages map[string]string, dns *zone) {
	t.Helper()
	keys, err := json.MarshalIndent(dns.records, "", " ")
	err = errors.Join(err, os.WriteFile(filepath.Join(dir, "keys.json"), keys, 0o600))
	for name, message := range messages {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name+".eml"), []byte(message), 0o600))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// readResults reads what the verifiers say, a line a report: its name, pass or
// fail, and the verifier's words.
func readResults(t *testing.T, dir string) map[string]map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		results := make(map[string]string)
		passes := 0
		for line := range strings.Lines(string(text)) {
			name, result, _ := strings.Cut(strings.TrimSpace(line), "\t")
			results[name] = result
			if strings.HasPrefix(result, pass) {
				passes++
			}
		}
		verifier := strings.TrimSuffix(filepath.Base(file), ".tsv")
		t.Logf("%s: %d of %d pass", verifier, passes, len(results))
		all[verifier] = results
	}
	return all
}

// readDifferences reads the table of docs/verifiers.md: what a verifier says of a
// report, by the names of both.
func readDifferences(t *testing.T) map[[2]string]string {
	t.Helper()
	f, err := os.Open("../../docs/verifiers.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	known := make(map[[2]string]string)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		cells := strings.Split(lines.Text(), "|")
		if len(cells) != 6 || !strings.Contains(cells[1], "`") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `")
		}
		for verifier := range strings.SplitSeq(cells[2], ", ") {
			if cells[4] == "" || known[[2]string{cells[1], verifier}] != "" {
				t.Errorf("docs/verifiers.md: %s of %s stands there twice, or without a reason", cells[1], verifier)
			}
			known[[2]string{cells[1], verifier}] = cells[3]
		}
	}
	return known
}
