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

// salvaged says of each published mail without a report part, but for bounces
// and the like, what we read in it; why, where the independent reading beside it
// says otherwise: it finds no report in any of them.
var salvaged = map[string]struct {
	kind                  Kind
	dialect, class, event string
	why                   string
}{
	"014": {KindReport, "jmrp", "fbl", Complaint, "the attached mail names its recipient"},
	"015": {KindReport, "jmrp", "fbl", Complaint, "the attached mail names its recipient"},
	"016": {KindReport, "jmrp", "fbl", Complaint, "the attached mail names its recipient"},
	"217": {KindReport, "jmrp", "fbl", Complaint, "the reported mail itself, as JMRP could send it"},
	"225": {KindReport, "jmrp", "fbl", Complaint, "the reported mail itself, as JMRP could send it"},
	"243": {KindReport, "jmrp", "fbl", Complaint, "the attached mail names its recipient"},
	"257": {KindReport, "jmrp", "fbl", Complaint, "the attached mail names its recipient"},

	"086": {KindReport, "xarf-netcraft", "network", Complaint, "X-ARF in report.txt"},
	"087": {KindReport, "xarf-netcraft", "network", Complaint, "X-ARF in report.txt"},
	"089": {KindReport, "xarf-blocklistde", "network", Complaint, "X-ARF in report.txt"},
	"091": {KindReport, "xarf-cleanmx", "network", Complaint, "X-ARF in report.txt"},
	"296": {KindReport, "xarf", "network", Complaint, "X-ARF in report.txt"},
	"297": {KindReport, "xarf", "network", Complaint, "X-ARF in report.txt"},
	"298": {KindReport, "xarf", "network", Complaint, "X-ARF in report.txt"},
	"284": {KindReport, "xarf-v3mail", "trap", Complaint, "JSON beside the report part: spam that came to a trap"},
	"285": {KindReport, "xarf-v4mail", "trap", Complaint, "JSON beside the report part: spam that came to a trap"},
	"327": {KindReport, "xarf-v3mail", "trap", Complaint, "JSON beside the report part: spam that came to a trap"},

	"055": {KindReport, "ses-json", "fbl", Complaint, "a complaint as JSON"},
	"286": {KindReport, "spamcop-plain", "service", Complaint, "SpamCop's subject and text, passed on by a ticket system"},
	"099": {KindReport, "xarf", "network", Complaint, "the text is free, but an X-ARF report.txt is attached"},
	"093": {KindUnparsed, "unknown", "fbl", Unparsed, "an incident report as CSV, signed: a format for networks"},
	"094": {KindUnparsed, "unknown", "fbl", Unparsed, "a list of sites in prose"},
	"097": {KindUnparsed, "unknown", "fbl", Unparsed, "a copyright claim by a program: about no mail, but somebody must look"},
	"287": {KindUnparsed, "unknown", "fbl", Unparsed, "an attack reported in prose, passed on by a ticket system"},
	"095": {KindOther, "", "", "", "a copyright claim that names no abuse, by nobody known as a program"},
	"096": {KindNotice, "", "", "", "a summary of a network's sites"},
	"098": {KindNotice, "", "", "", "a monthly summary of a network's addresses"},
	"100": {KindNotice, "", "", "", "a link to a scan of the network"},
	"288": {KindNotice, "", "", "", "an open service that somebody found"},
	"289": {KindNotice, "", "", "", "an entry in a block list: it complains about no mail"},

	"277": {KindReport, "dmarc-plaintext", "auth", AuthFailed, "the fields are in the text"},
	"290": {KindReport, "rfc5965", "auth", AuthFailed, ""},
	"320": {KindReport, "rfc5965", "fbl", NotSpam, "a blank line in the outer header does not end it"},
	"335": {KindUnparsed, "unknown", "fbl", Unparsed, "says that it is a report, and holds nothing"},
}

// TestCorpusSalvaged: each mail is what the table says, and no value that stands
// literally in its fields is lost.
func TestCorpusSalvaged(t *testing.T) {
	folder := corpusFolder(t)
	if folder == "" {
		t.Skip("no folder of published mails; the fixtures of testdata stand for them")
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	for _, file := range files {
		var read struct {
			ID, Kind string
			Original *struct {
				Recipient string `json:"x_hmxmroriginalrecipient"`
				Reporter  string `json:"x_reporter_ip"`
				MessageID string `json:"message_id"`
			}
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
			mail, err := os.ReadFile(strings.TrimSuffix(file, ".json") + ".eml")
			if err != nil {
				t.Fatal(err)
			}
			r := Parse(mail, int64(len(mail)))
			for _, first := range []int{0, 700, 4096} {
				if part, _ := fetch(t, mail, first); part.Kind != r.Kind || part.Dialect != r.Dialect || part.ID != r.ID {
					t.Errorf("%s %s of a part, %s %s of the whole", part.Kind, part.Dialect, r.Kind, r.Dialect)
				}
			}
			records := r.Records(Envelope{})
			if r.Kind != want.kind || want.event == "" != (len(records) == 0) {
				t.Fatalf("%s, %d records; want %s: %s", r.Kind, len(records), want.kind, want.why)
			}
			if len(records) == 0 {
				return
			}
			// The table of providers may know a dialect by a better name than the
			// container's.
			got := records[0]
			if got.Event != want.event || r.Dialect != "" && (got.Dialect != want.dialect || got.Class != want.class) {
				t.Errorf("%s %s %s, want %s %s %s: %s", got.Dialect, got.Class, got.Event, want.dialect, want.class, want.event, want.why)
			}
			if got.Event == Unparsed && len(got.Parse.Warnings) == 0 {
				t.Error("unparsed without a reason")
			}
			line := string(got.AppendJSON(nil))
			if o := read.Original; want.dialect == "jmrp" && o != nil {
				if got.OriginalRcptTo != plain(o.Recipient) || !strings.Contains(line, o.Reporter) || got.Original.MessageID != strings.Trim(o.MessageID, "<>") {
					t.Errorf("%+v is not in %s", o, line)
				}
				if _, ip, said := strings.Cut(r.Outer.Subject, "message from "); said && got.SourceIP != strings.TrimSpace(ip) {
					t.Errorf("source_ip %q, the subject is %q", got.SourceIP, r.Outer.Subject)
				}
			}
			for _, v := range literals(mail) {
				if v, _ := json.Marshal(v); !strings.Contains(line, strings.Trim(string(v), `"`)) {
					t.Errorf("%s is not in %s", v, line)
				}
			}
		})
	}
}

// literals are the values of an X-ARF report.txt, as a plain reader sees them.
func literals(mail []byte) (values []string) {
	_, rest, found := bytes.Cut(bytes.ReplaceAll(mail, []byte("\r"), nil), []byte("report.txt"))
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
