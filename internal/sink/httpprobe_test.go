package sink

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/profile"
)

// A signing key that is none fails the probe, although HEAD is not signed.
func TestProbeTriesTheKey(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "key")
	for _, test := range []struct{ profile, key, want string }{
		{"mailgun", "key-1\n", ""},
		{"mailgun", "\n", "the signing key is empty"},
		{"sendgrid", "key-1\n", "no private key of the curve P-256"},
	} {
		fixture.File(t, file, test.key)
		c := Config{Name: "h", Type: TypeHTTP, Remote: RemoteConfig{URL: server.URL}, Profile: profile.Options{Profile: test.profile, SigningKeyFile: file}}
		if _, err := Probe(t.Context(), c); test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.profile, err, test.want)
		}
	}
}

// TestProbeListmonk: health, then a bounce that names nobody.
func TestProbeListmonk(t *testing.T) {
	status := http.StatusBadRequest
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		asked = append(asked, r.Method+" "+r.URL.Path+" "+user+":"+password)
		if r.URL.Path == "/lists/health" {
			_, _ = w.Write([]byte(`{"data":true}`))
			return
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(`{"message":"Invalid fields: email / subscriber_uuid"}`))
	}))
	defer server.Close()
	c := Config{
		Name: "h", Type: TypeHTTP, Remote: RemoteConfig{URL: server.URL + "/lists/", User: "u", Password: "p"}, Profile: profile.Options{Profile: "listmonk"},
	}
	if said, err := Probe(t.Context(), c); err != nil || !strings.Contains(said, "listmonk is up") || !strings.Contains(said, "bounce webhook is on") {
		t.Errorf("%q, %v", said, err)
	}
	if got := strings.Join(asked, ", "); got != "GET /lists/health u:p, POST /lists/webhooks/bounce u:p" {
		t.Error(got)
	}
	for _, test := range []struct {
		status int
		want   string
	}{{403, "webhooks:post_bounce"}, {404, "bounce webhooks"}, {503, "bounce processing"}} {
		status = test.status
		if _, err := Probe(t.Context(), c); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d: %v, want %q", status, err, test.want)
		}
	}
}
