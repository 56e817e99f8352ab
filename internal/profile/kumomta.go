package profile

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// kumomta is for programs that take the feedback records of KumoMTA's log hooks: one
// record a request. Keys, types and spelling are those of its crate kumo-log-types as of
// commit 3ebc1e8 (2026-08-04), src/lib.rs and src/rfc5965.rs; its JsonLogRecord read
// testdata/kumomta.json, and wrote the same again. It has no place for a verdict: the
// config's when chooses.
type kumomta struct{ unsigned }

type kumoRecord struct {
	Type                 string         `json:"type"`
	ID                   string         `json:"id"`
	Sender               string         `json:"sender"`    // of the report
	Recipient            string         `json:"recipient"` // the mailbox that got the report, not the complainant
	Queue                string         `json:"queue"`
	Site                 string         `json:"site"`
	Size                 int64          `json:"size"`
	Response             kumoResponse   `json:"response"`
	PeerAddress          *struct{}      `json:"peer_address"`
	Timestamp            int64          `json:"timestamp"`
	EventTime            time.Time      `json:"event_time"`
	Created              int64          `json:"created"`
	CreatedTime          time.Time      `json:"created_time"`
	NumAttempts          int            `json:"num_attempts"`
	BounceClassification string         `json:"bounce_classification"`
	EgressPool           *string        `json:"egress_pool"`
	EgressSource         *string        `json:"egress_source"`
	SourceAddress        *struct{}      `json:"source_address"`
	FeedbackReport       kumoReport     `json:"feedback_report"`
	Meta                 map[string]any `json:"meta"`
	Headers              map[string]any `json:"headers"`
	DeliveryProtocol     *string        `json:"delivery_protocol"`
	ReceptionProtocol    *string        `json:"reception_protocol"`
	NodeID               uuid.UUID      `json:"nodeid"`
}

type kumoResponse struct {
	Code         int       `json:"code"`
	EnhancedCode *struct{} `json:"enhanced_code"`
	Content      string    `json:"content"`
	Command      *string   `json:"command"`
}

type kumoReport struct {
	FeedbackType          string              `json:"feedback_type"`
	UserAgent             string              `json:"user_agent"`
	Version               string              `json:"version"`
	ArrivalDate           *time.Time          `json:"arrival_date"`
	Incidents             *int                `json:"incidents"`
	OriginalEnvelopeID    *string             `json:"original_envelope_id"`
	OriginalMailFrom      *string             `json:"original_mail_from"`
	ReportingMTA          *kumoMTA            `json:"reporting_mta"`
	SourceIP              *string             `json:"source_ip"`
	AuthenticationResults []string            `json:"authentication_results"`
	OriginalRcptTo        []string            `json:"original_rcpto_to"` // KumoMTA's spelling
	ReportedDomain        []string            `json:"reported_domain"`
	ReportedURI           []string            `json:"reported_uri"`
	Extensions            map[string][]string `json:"extensions"`
	OriginalMessage       *string             `json:"original_message"`
	SupplementalTrace     *kumoTrace          `json:"supplemental_trace"`
}

type kumoMTA struct {
	Type string `json:"mta_type"`
	Name string `json:"name"`
}

type kumoTrace struct {
	Recipient string `json:"recipient"`
}

// kumoNode stands for this program, whatever machine it runs on.
var kumoNode = uuid.NewSHA1(uuid.NameSpaceURL, []byte("fblwatch:kumomta"))

func newKumoMTA(Options) (Profile, error) { return kumomta{}, nil }

func (kumomta) Takes(item *delivery.Item) (skip string) { return complaint(item) }

func (kumomta) Request(items []delivery.Item) (Request, int, error) {
	item := &items[0]
	r, err := item.Record()
	if err != nil {
		return Request{}, 0, err
	}
	at := when(item, r)
	k := kumoRecord{
		Type: "Feedback", ID: strings.ReplaceAll(eventUUID(item), "-", ""), NodeID: kumoNode,
		Response:  kumoResponse{Code: 250},
		Timestamp: at.Unix(), EventTime: at, Created: at.Unix(), CreatedTime: at,
		BounceClassification: "Uncategorized", // as in every feedback record
		FeedbackReport:       kumoReportOf(r),
		Meta:                 map[string]any{source: originOf(r)}, Headers: map[string]any{},
	}
	if r.Reporter != nil {
		k.Sender = r.Reporter.From
	}
	if r.Mailbox != nil {
		k.Recipient, k.Size = r.Mailbox.Account, r.Mailbox.Size
	}
	return event(k)
}

func kumoReportOf(r *report.Record) kumoReport {
	k := kumoReport{
		FeedbackType: r.FeedbackType, UserAgent: r.UserAgent, Version: r.Version,
		OriginalEnvelopeID: orNull(r.OriginalEnvelopeID), OriginalMailFrom: orNull(r.OriginalMailFrom), SourceIP: orNull(r.SourceIP),
		AuthenticationResults: list(r.AuthenticationResults), ReportedDomain: list(r.ReportedDomain), ReportedURI: list(r.ReportedURI),
		OriginalRcptTo: []string{}, Extensions: map[string][]string{},
	}
	if a := address(r); a != "" {
		k.OriginalRcptTo = append(k.OriginalRcptTo, a)
	}
	if !r.ArrivalDate.IsZero() {
		k.ArrivalDate = &r.ArrivalDate
	}
	if r.Incidents > 0 {
		k.Incidents = &r.Incidents
	}
	if m := r.ReportingMTA; m != nil {
		k.ReportingMTA = &kumoMTA{m.Type, m.Name}
	}
	for name, values := range r.Extensions {
		if name = strings.ToLower(name); name != "_lines" { // what is no field
			k.Extensions[name] = append(k.Extensions[name], values...)
		}
	}
	if r.Identity != nil && r.Identity.By["subscriber"].Rule == "kumoref" && message.IsAddress(r.Identity.Subscriber) {
		k.SupplementalTrace = &kumoTrace{r.Identity.Subscriber}
	}
	return k
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// list is never null in JSON.
func list(of []string) []string {
	if of == nil {
		return []string{}
	}
	return of
}

// Judge reads the status, as KumoMTA's own helper does.
func (kumomta) Judge(a Answer, n int) error { return Status(a, n) }
