package profile

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	slackapi "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackutilsx"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/digest"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// slackDigest is a digest's text as Slack shows it. It is plain, and so short that Slack
// shows all of it.
func slackDigest(t *testing.T, sum *digest.Digest) string {
	t.Helper()
	r, err := slack{}.Digest(sum)
	if err != nil {
		t.Fatal(err)
	}
	var got slackapi.WebhookMessage
	if err := json.Unmarshal(r.Body, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"mrkdwn", "unfurl_links", "unfurl_media"} {
		if jsonOf(t, r.Body).(map[string]any)[key] != false {
			t.Error(key, "is not off")
		}
	}
	if n := utf8.RuneCountInString(got.Text); n > 40_000 {
		t.Errorf("%d characters", n)
	}
	text := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(got.Text)
	if slackutilsx.EscapeMessage(text) != got.Text || strings.Contains(text, "://") {
		t.Errorf("%q", got.Text)
	}
	return text
}

// The digest says what that by mail says, whatever senders wrote.
func TestSlackDigest(t *testing.T) {
	for _, text := range append(hostile, "spring") {
		var sum digest.Digest
		for _, item := range allChosen(30, text) {
			item.Event, item.Verdict, item.Provider = "complaint", "review", text
			sum.Add(&item)
		}
		alarm := delivery.Item{Kind: delivery.KindAlarm}
		alarm.ID, alarm.JSON = "silence:"+text, []byte(text)
		sum.Add(&alarm)
		sum.AddDead(ledger.DeadLetter{Row: ledger.Row{Record: ledger.Record{ID: text}}, Sink: "crm", Reason: text})
		want := "fblwatch: 1 alarm, 30 records, 1 dead letter, 30 records to review\n\n" + sum.Text()
		if got := slackDigest(t, &sum); got != want {
			t.Errorf("%q: got\n%s\nwant\n%s", text, got, want)
		}
	}
}

// A digest of many records with long values fits into a message, and counts all of them.
func TestSlackDigestFits(t *testing.T) {
	sum := digest.Digest{Lines: 1000}
	for i := range 20_000 {
		item := allChosen(1, "a")[0]
		item.Event, item.Verdict = "complaint", "review"
		item.Provider, item.Campaign = fmt.Sprint(i, strings.Repeat("&", 200)), fmt.Sprint(i, strings.Repeat("<é", 200))
		sum.Add(&item)
	}
	text := slackDigest(t, &sum)
	ids := strings.Count(text, "complaint by ")
	if ids < 5 || !strings.Contains(text, fmt.Sprintf("\n  and %d more\n", 20_000-ids)) || !strings.Contains(text, "  20000  complaint, verdict review\n") {
		t.Errorf("%d of 20000 in\n%.2000s", ids, text)
	}
}
