package profile

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/report"
)

// TestRequestPath: a value is one segment, or one parameter.
func TestRequestPath(t *testing.T) {
	for _, test := range []struct{ path, address, want string }{
		{"/c/{original_rcpt_to}", "a/b?c#d%e@example.org", "/c/a%2Fb%3Fc%23d%25e@example.org"},
		{"/c?address={original_rcpt_to}&tenant={tenant}", "a&b+c=d@example.org", "/c?address=a%26b%2Bc%3Dd%40example.org&tenant=acme"},
		{"/{tenant}/{identity.tenant}/{recipients}", "a@example.org", "/acme/acme/1"},
		{"", "a@example.org", ""},
	} {
		r := aComplaint()
		r.OriginalRcptTo = test.address
		p := mustNew(t, Options{Profile: "request", Own: &OwnRequest{Path: test.path}})
		if got := mustRequest(t, p, r); got.Path != test.want || got.Method != "POST" || got.Body != nil || got.Header != nil {
			t.Errorf("%s, %s: %+v, want the path %s", test.path, test.address, got, test.want)
		}
	}
	// What would lead elsewhere is refused: the record is at fault.
	for _, tenant := range []string{"..", ".", "a/..", `..\a`, "%2e%2E", "a/../b"} {
		r := aComplaint()
		r.Identity.Tenant = tenant
		item := itemOf(r)
		p := mustNew(t, Options{Profile: "request", Own: &OwnRequest{Path: "/t/{tenant}/c"}})
		if skip := p.Takes(&item); skip != "" {
			t.Errorf("%s: skipped: %s", tenant, skip)
		}
		if r, _, err := p.Request([]delivery.Item{item}); !errors.Is(err, errValue) {
			t.Errorf("%s: %q, %v", tenant, r.Path, err)
		}
	}
}

// TestRequestBody: an action's text is escaped for its place, and branches work.
func TestRequestBody(t *testing.T) {
	hostile := "\",\"admin\":true,\"x\":\"\\\n</script>\u2028"
	for _, test := range []struct{ contentType, body, want string }{
		{"", `{"s":"{{.original.subject}}"}`, `{"s":"\",\"admin\":true,\"x\":\"\\\n</script>\u2028"}`},
		{"", `{"s":{{json .original.subject}}}`, "{\"s\":\n" + `"\",\"admin\":true,\"x\":\"\\\n</script>\u2028"` + "\n}"},
		{"application/vnd.a+json", `{"n":{{.recipients}},"b":{{.reporter.trusted}},"l":{{json .reported_domain}}}`, "{\"n\":1,\"b\":true,\"l\":\n[\"lists.example.com\"]\n}"},
		{"", `{{if .source}}{"a":"{{.source.asn}}"}{{else}}{"a":0}{{end}}`, `{"a":0}`},
		{"", `{"a":[{{range $i, $u := .reported_uri}}{{if $i}},{{end}}"{{$u}}"{{end}}]}`, `{"a":["https://example.com/a"]}`},
		{"", `{"a":"{{with index .extensions "X-Loop"}}{{index . 0}}{{end}}"}`, `{"a":"one"}`},
		{"", `{{define "p"}}"{{.provider}}"{{end}}{"a":{{template "p" .}},"b":"{{printf "%s/%s" .provider .feed}}"}`, `{"a":"yahoo","b":"yahoo/cfl"}`},
		{"application/x-www-form-urlencoded; charset=utf-8", "address={{.original_rcpt_to}}&s={{.original.subject}}&n={{.recipients}}&l={{json .reported_domain}}",
			"address=Mary%40example.org&s=" + url.QueryEscape(hostile) + "&n=1&l=" + url.QueryEscape(`["lists.example.com"]`)},
	} {
		r := aComplaint()
		r.Original.Subject = hostile
		got := mustRequest(t, mustNew(t, Options{Profile: "request", Own: &OwnRequest{ContentType: test.contentType, Body: test.body}}), r)
		if string(got.Body) != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.body, got.Body, test.want)
		}
		if test.contentType != "" && got.Header.Get("Content-Type") != test.contentType {
			t.Errorf("Content-Type %v", got.Header)
		}
	}
}

// A value that the record lacks is no empty text: the record is skipped, for a reason of
// the template's own.
func TestRequestLacks(t *testing.T) {
	r := aComplaint()
	r.Identity, r.Source = nil, nil
	item := itemOf(r)
	for body, want := range map[string]string{
		`{"a":"{{.identity.subscriber}}"}`: "the record lacks .identity.subscriber",
		`{"a":{{json .source.asn}}}`:       "the record lacks json .source.asn",
		`{"a":"{{.provider}}"}`:            "",
	} {
		if got := mustNew(t, Options{Profile: "request", Own: &OwnRequest{Body: body}}).Takes(&item); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// A template whose branch was not tried may write what is no JSON: the record is refused.
func TestRequestNoJSON(t *testing.T) {
	p := mustNew(t, Options{Profile: "request", Own: &OwnRequest{Body: `{{if .source}}{}{{else}}{{"{"}}{{end}}`}})
	item := itemOf(aComplaint())
	if skip := p.Takes(&item); skip != "" {
		t.Fatal(skip)
	}
	if _, _, err := p.Request([]delivery.Item{item}); !errors.Is(err, errNoJSON) {
		t.Error(err)
	}
}

// TestRequestJudge: the answers of docs/receivers.
func TestRequestJudge(t *testing.T) {
	p := mustNew(t, Options{Profile: "request", Own: &OwnRequest{Accept: []int{404, 409}}})
	for _, test := range []struct {
		status int
		body   string
		want   string // "", refused, waits
	}{
		{200, `{"success":true}`, ""},            // bunmail, Notifuse
		{200, `{"error":"No address"}`, "waits"}, // ZoneMTA
		{200, `{"success":false}`, "waits"},
		{200, `{"success":true,"error":null}`, ""},
		{200, `{"error":false}`, ""},
		{201, `{"id":"x"}`, ""},
		{204, "", ""},
		{200, `["error"]`, ""},
		{404, `{"errors":[{"title":"Not Found"}]}`, ""}, // Keila: unknown contact
		{409, "", ""},
		{400, `{"error":"x"}`, "refused"},
		{422, "", "refused"},
		{401, "", "waits"},
		{403, "", "waits"},
		{405, "", "waits"},
		{429, "", "waits"},
		{500, `{"success":false}`, "waits"}, // bunmail: a bad body
		{302, "", "waits"},
	} {
		err := p.Judge(Answer{Status: test.status, Body: []byte(test.body)}, 1)
		got := ""
		if refused := (delivery.Refusals{}); errors.As(err, &refused) {
			got = "refused"
		} else if err != nil {
			got = "waits"
		}
		if got != test.want {
			t.Errorf("%d %s: %v, want %q", test.status, test.body, err, test.want)
		}
	}
}

// FuzzRequest: whatever a record holds, the body has the keys of the template and no
// other ones, its strings hold the values, the form has its two parameters, and the path
// its segments.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{"a", `"`, `","x":"`, `\`, "1,2", "}", "\n", "\x00", "\xff", "\u2028", "{{.id}}", "a&b=c", "..", "../..", "%2f", "//host", "\r\nX-A: b", "<>"} {
		f.Add(seed, seed)
	}
	p, err := New(Options{Profile: "request", Own: &OwnRequest{
		Path: "/t/{tenant}/c?s={subscriber}",
		Body: `{"a":"x{{.original.subject}}y","b":{{json .original.subject}},"c":["{{.original.subject}}","{{printf "%v" .identity.tenant}}"]}`,
	}})
	if err != nil {
		f.Fatal(err)
	}
	form, err := New(Options{Profile: "request", Own: &OwnRequest{ContentType: "application/x-www-form-urlencoded", Body: `a={{.original.subject}}&b={{.identity.tenant}}`}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, subject, tenant string) {
		r := aComplaint()
		r.Original.Subject, r.Identity.Tenant = subject, tenant
		item := itemOf(r)
		read, err := item.Record()
		if err != nil {
			t.Skip() // not UTF-8
		}
		subject, tenant = read.Original.Subject, read.Identity.Tenant
		if subject == "" || tenant == "" {
			t.Skip()
		}
		if skip := p.Takes(&item); skip != "" {
			t.Fatalf("skipped: %s", skip)
		}
		if got, _, err := p.Request([]delivery.Item{item}); err == nil {
			var body struct {
				A, B string
				C    []string
			}
			d := json.NewDecoder(strings.NewReader(string(got.Body)))
			d.DisallowUnknownFields()
			if err := d.Decode(&body); err != nil || d.More() {
				t.Fatalf("%v in %s", err, got.Body)
			}
			if body.A != "x"+subject+"y" || body.B != subject || !slices.Equal(body.C, []string{subject, tenant}) {
				t.Errorf("%+v", body)
			}
			u, err := url.Parse("https://host.example" + got.Path)
			if err != nil {
				t.Fatal(err)
			}
			u = u.JoinPath() // removes dots
			if segments := strings.Split(u.EscapedPath(), "/"); u.Host != "host.example" || len(segments) != 4 || segments[1] != "t" || segments[3] != "c" {
				t.Errorf("%s", u)
			}
			if query := u.Query(); len(query) != 1 || query.Get("s") != subscriberUUID || u.Fragment != "" {
				t.Errorf("%s", u)
			}
		} else if !errors.Is(err, errValue) {
			t.Fatal(err)
		}
		got, _, err := form.Request([]delivery.Item{item})
		if err != nil {
			t.Fatal(err)
		}
		values, err := url.ParseQuery(string(got.Body))
		if err != nil || len(values) != 2 || values.Get("a") != subject || values.Get("b") != tenant {
			t.Errorf("%v, %v of %s", values, err, got.Body)
		}
	})
}

// FuzzProviders: whatever a record holds, each body is JSON of the same shape: the same
// keys at the same places, but for those that may be absent.
func FuzzProviders(f *testing.F) {
	f.Add("Mary@example.org", "m17@example.com", `a","b":"c`)
	f.Add("a\r\nb@example.org", "\x00", "\xff")
	f.Fuzz(func(t *testing.T, address, id, text string) {
		r := aComplaint()
		r.OriginalRcptTo, r.Original.MessageID, r.Original.Subject, r.FeedbackType, r.OriginalMailFrom = address, id, text, text, text
		r.Identity = &report.Identity{Status: report.Identified, Subscriber: text, Campaign: text, Tenant: text, MessageID: id}
		item := itemOf(r)
		if _, err := item.Record(); err != nil {
			t.Skip()
		}
		for name, o := range receivers {
			p, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			if p.Takes(&item) != "" {
				continue
			}
			got, _, err := p.Request([]delivery.Item{item})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			var v any
			if err := json.Unmarshal(got.Body, &v); err != nil {
				t.Fatalf("%s: %v in %s", name, err, got.Body)
			}
			for header, values := range got.Header {
				if strings.ContainsAny(header+strings.Join(values, ""), "\r\n") {
					t.Errorf("%s: header %q: %q", name, header, values)
				}
			}
		}
	})
}
