package profile

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/digest"
)

// slack writes one message of an incoming webhook for the items of a batch: counts, and a
// line for each of the first ones. It names no person.
type slack struct{ keeper }

const (
	slackLines = 20 // of records in a message
	slackValue = 60 // characters of a value
)

// slackMessage is plain: nothing in the text is markup, becomes a mention or is fetched.
type slackMessage struct {
	Text        string `json:"text"`
	Mrkdwn      bool   `json:"mrkdwn"`
	UnfurlLinks bool   `json:"unfurl_links"`
	UnfurlMedia bool   `json:"unfurl_media"`
}

func (slack) Request(items []delivery.Item) (r Request, n int, err error) {
	events, verdicts, records := newTally(), newTally(), 0
	var lines strings.Builder
	for i := range items {
		item := &items[i]
		line := []string{"alarm", item.ID}
		if item.Kind != delivery.KindAlarm {
			records++
			s := streamOf(item)
			events.add(s.event)
			verdicts.add(s.verdict)
			line = []string{item.Event, "verdict " + item.Verdict, item.Provider + "/" + item.Feed}
			if item.Campaign != "" {
				line = append(line, "campaign "+item.Campaign)
			}
			line = append(line, item.ID)
		}
		if i < slackLines {
			for i, value := range line {
				line[i] = slackText(value)
			}
			lines.WriteString("\n" + strings.Join(line, ", "))
		}
	}
	text := fmt.Sprintf("fblwatch: %d records: %s; verdicts: %s", records, events, verdicts)
	switch {
	case records == 0:
		text = fmt.Sprintf("fblwatch: %d alarms", len(items))
	case records < len(items):
		text += fmt.Sprintf("; %d alarms", len(items)-records)
	}
	text += lines.String()
	if more := len(items) - slackLines; more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	r, err = slackRequest(text)
	return r, len(items), err
}

// slackMost is how many octets of text a digest has. Slack cuts a message at 40,000
// characters.
const slackMost = 35_000

// Digest is that of a Digester.
func (slack) Digest(sum *digest.Digest) (Request, error) {
	return slackRequest(sum.Title() + "\n\n" + sum.Fit(slackMost, slackEscapes.Replace))
}

func slackRequest(text string) (Request, error) {
	b, err := json.Marshal(slackMessage{Text: text})
	return Request{Header: contentType("application/json"), Body: b}, err
}

// tally counts values in the order of their first appearance.
type tally struct {
	names  []string
	counts map[string]int
}

func newTally() *tally { return &tally{counts: make(map[string]int)} }

func (t *tally) add(name string) {
	if t.counts[name]++; t.counts[name] == 1 {
		t.names = append(t.names, name)
	}
}

func (t *tally) String() string {
	var parts []string
	for _, name := range t.names {
		parts = append(parts, fmt.Sprintf("%d %s", t.counts[name], slackText(name)))
	}
	return strings.Join(parts, ", ")
}

// slackText is the start of a value as text that Slack shows as it is: with its three
// control characters escaped, and without addresses that it would turn into links.
func slackText(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if utf8.RuneCountInString(s) > slackValue {
		s = string([]rune(s)[:slackValue]) + "…"
	}
	s = strings.Map(func(r rune) rune {
		if r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, s)
	return slackEscapes.Replace(s)
}

var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "://", "_//")

// slackUnfit are the words with which Slack refuses a message for what is in it. Others
// of the status 400, such as user_not_found, are about the webhook.
var slackUnfit = []string{"msg_too_long", "invalid_payload", "no_text", "invalid_blocks"}

func (slack) Judge(a Answer, n int) error {
	word := strings.TrimSpace(string(a.Body))
	if a.Status == http.StatusBadRequest && !slices.Contains(slackUnfit, word) {
		return fmt.Errorf("answered %s", a)
	}
	return Status(a, n)
}
