package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// salvaged says of each published message without a report part, but for bounces
// and the like, what we read in it and why: the independent reading beside it
// calls none of them a feedback report.
var salvaged = map[string]struct {
	kind   Kind
	record string // event, class, provider, feed, dialect; "": there is none
	why    string
}{
	"014": {KindReport, "complaint fbl microsoft jmrp jmrp", "the attached mail names its recipient"},
	"015": {KindReport, "complaint fbl microsoft jmrp jmrp", "the attached mail names its recipient"},
	"016": {KindReport, "complaint fbl microsoft jmrp jmrp", "the attached mail names its recipient"},
	"217": {KindReport, "complaint fbl microsoft jmrp jmrp", "the reported mail itself, as JMRP could send it"},
	"225": {KindReport, "complaint fbl microsoft jmrp jmrp", "the reported mail itself, as JMRP could send it"},
	"243": {KindReport, "complaint fbl microsoft jmrp jmrp", "the attached mail names its recipient"},
	"257": {KindReport, "complaint fbl microsoft jmrp jmrp", "the attached mail names its recipient"},

	"086": {KindReport, "complaint network netcraft.com unknown xarf-netcraft", "X-ARF in report.txt"},
	"087": {KindReport, "complaint network netcraft.com unknown xarf-netcraft", "X-ARF in report.txt"},
	"089": {KindReport, "complaint network blocklist.de unknown xarf-blocklistde", "X-ARF in report.txt"},
	"091": {KindReport, "complaint network clean-mx.de unknown xarf-cleanmx", "X-ARF in report.txt"},
	"296": {KindReport, "complaint network customer-config.de unknown xarf", "X-ARF in report.txt"},
	"297": {KindReport, "complaint network cyscon.de unknown xarf", "X-ARF in report.txt"},
	"298": {KindReport, "complaint network customer-config.de unknown xarf", "X-ARF in report.txt"},
	"284": {KindReport, "complaint trap vpsfree.cz unknown xarf-v3mail", "JSON beside the report part: spam that came to a trap"},
	"285": {KindReport, "complaint trap vpsfree.cz unknown xarf-v4mail", "JSON beside the report part: spam that came to a trap"},
	"327": {KindReport, "complaint trap abusix traps xarf-v3mail", "JSON beside the report part: spam that came to a trap"},

	"055": {KindReport, "complaint fbl amazonses sns ses-json", "a complaint as JSON"},
	"286": {KindReport, "complaint service spamcop reports spamcop-plain", "SpamCop's subject and text, passed on by a ticket system"},
	"099": {KindReport, "complaint network webiron.com unknown xarf", "the text is free, but two X-ARF texts are attached, arf_report1.txt and 2: one record, with the values of both"},
	"093": {KindUnparsed, "unparsed network abusehub.nl unknown unknown", "an incident report as CSV, signed: a format for networks"},
	"094": {KindUnparsed, "unparsed network clean-mx.de unknown unknown", "a list of sites in prose"},
	"097": {KindUnparsed, "unparsed network ip-echelon.com unknown unknown", "a copyright claim by a program: about no mail, but somebody must look"},
	"287": {KindUnparsed, "unparsed network vpsfree.cz unknown unknown", "an attack reported in prose, passed on by a ticket system"},
	"095": {KindUnparsed, "unparsed network copyright-compliance.com unknown unknown", "a copyright claim, signed, by a Java program, with a notice id: an address of the network shared a film"},
	"096": {KindUnparsed, "unparsed network google.com unknown unknown", "bad sites of the network, as XML, with their addresses"},
	"098": {KindUnparsed, "unparsed network projecthoneypot.org unknown unknown", "a periodic sum, but it lists five addresses of the network that did wrong"},
	"100": {KindUnparsed, "unparsed network shadowserver.org unknown unknown", "the text only links; the hosts that others can abuse are in the zipped CSV, which is not opened"},
	"288": {KindUnparsed, "unparsed network vpsfree.cz unknown unknown", "a critical hole at an address, as a table; the ticket system's is the only From"},
	"289": {KindUnparsed, "unparsed network vpsfree.cz unknown unknown", "a block list has the address for spamming, as CSV; the text says that it probably spams"},

	"277": {KindReport, "auth_failure auth example.net dmarc dmarc-plaintext", "the fields are in the text"},
	"290": {KindReport, "auth_failure auth example.org dkim opendkim", "no empty line behind the header; the boundary itself says where it ends"},
	"320": {KindReport, "not_spam fbl example.com unknown rfc5965", "a blank line in the outer header does not end it"},
	"335": {KindUnparsed, "unparsed fbl unknown unknown unknown", "declares a feedback report and holds a text and an empty mail: no field says whose or what"},
}

// TestCorpusSalvaged: each message is what the table says, and no value that stands
// literally in its fields is lost.
func TestCorpusSalvaged(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpusFolder(t), "*.json"))
	for _, file := range files {
		var read struct {
			ID, Kind string
			Original *struct {
				Recipient string `json:"x_hmxmroriginalrecipient"`
				Reporter  string `json:"x_reporter_ip"`
				MessageID string `json:"message_id"`
			}
			Report *struct{ Fields map[string][]string }
		}
		b, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(b, &read)
		}
		if err != nil {
			t.Fatal(err)
		}
		want, known := salvaged[read.ID]
		if !known {
			if slices.Contains([]string{"jmrp-nonarf", "xarf", "abuse-freeform", "malformed"}, read.Kind) {
				t.Errorf("%s: %s is not in the table", read.ID, read.Kind)
			}
			continue
		}
		t.Run(read.ID, func(t *testing.T) {
			message, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".eml")
			if err != nil {
				t.Fatal(err)
			}
			r := Parse(message)
			for _, first := range []int{0, 700, 4096} {
				if part, _ := fetch(t, message, first); part.Kind != r.Kind || part.Dialect != r.Dialect || part.ID != r.ID {
					t.Errorf("%s %s of a part, %s %s of the whole", part.Kind, part.Dialect, r.Kind, r.Dialect)
				}
			}
			records := r.Records(Envelope{})
			if r.Kind != want.kind || want.record == "" != (len(records) == 0) {
				t.Fatalf("%s, %d records; want %s: %s", r.Kind, len(records), want.kind, want.why)
			}
			if len(records) == 0 {
				return
			}
			got := records[0]
			if speaks := strings.Join([]string{string(got.Event), string(got.Class), got.Provider, got.Feed, got.Dialect}, " "); speaks != want.record {
				t.Errorf("%s, want %s: %s", speaks, want.record, want.why)
			}
			if got.Event == Unparsed && len(got.Parse.Warnings) == 0 {
				t.Error("unparsed without a reason")
			}
			line := string(got.AppendJSON(nil))
			if o := read.Original; got.Dialect == "jmrp" && o != nil {
				if got.OriginalRcptTo != plain(o.Recipient) || !strings.Contains(line, o.Reporter) || got.Original.MessageID != strings.Trim(o.MessageID, "<>") {
					t.Errorf("%+v is not in %s", o, line)
				}
				if _, ip, said := strings.Cut(r.Outer.Subject, "message from "); said && got.SourceIP != strings.TrimSpace(ip) {
					t.Errorf("source_ip %q, the subject is %q", got.SourceIP, r.Outer.Subject)
				}
			}
			if read.Report != nil && read.ID != "320" { // of 320 it reads what the blank line left
				for name, values := range read.Report.Fields {
					for _, v := range values {
						if !slices.Contains(fieldsOf(records)[name], plain(v)) {
							t.Errorf("%s: %q is not in %s", name, v, line)
						}
					}
				}
			}
			for _, v := range literals(message) {
				if v, _ := json.Marshal(v); !strings.Contains(line, strings.Trim(string(v), `"`)) {
					t.Errorf("%s is not in %s", v, line)
				}
			}
		})
	}
}

// literals are the values of an X-ARF report.txt, as a plain reader sees them.
func literals(message []byte) (values []string) {
	_, rest, found := bytes.Cut(bytes.ReplaceAll(message, []byte("\r"), nil), []byte("report.txt"))
	_, rest, _ = bytes.Cut(rest, []byte("\n---\n"))
	if !found {
		return nil
	}
	for line := range bytes.Lines(rest) {
		name, value, _ := strings.Cut(string(line), ":")
		if name = strings.TrimSpace(name); name == "" || strings.HasPrefix(name, "--") {
			break
		}
		values = append(values, strings.Join(strings.Fields(value), " "))
	}
	return values
}
