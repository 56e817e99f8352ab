package sample

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"mime"
	"strconv"
	"strings"
	"time"
)

// Start is when message 0 is sent; each later one follows by a minute.
var Start = time.Date(2026, time.March, 2, 6, 0, 0, 0, time.UTC)

// Complaint is the content of one made-up report.
type Complaint struct {
	N        int
	Sent     time.Time // the report
	Arrived  time.Time // the reported message
	ID       string    // 16 hexadecimal digits
	User     string    // the recipient, at example.com
	Subject  string    // of the reported message, decoded
	Campaign string
	IP       string // the source, in 192.0.2.0/24
}

// NewComplaint returns the n-th complaint of a seed.
func NewComplaint(seed uint64, n int) Complaint {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	subjects := []string{"Spring sale", "Your weekly digest", "We miss you", "Neue Angebote für Sie"}
	campaigns := []string{"spring", "digest", "winback", "webinar"}
	pick := r.IntN(len(subjects))
	sent := sentAt(n)
	return Complaint{
		N:        n,
		Sent:     sent,
		Arrived:  sent.Add(-time.Duration(300+r.IntN(86400)) * time.Second),
		ID:       fmt.Sprintf("%016x", r.Uint64()),
		User:     fmt.Sprintf("user%d@example.com", 1000+r.IntN(9000)),
		Subject:  subjects[pick],
		Campaign: fmt.Sprintf("%s-%03d", campaigns[pick], r.IntN(1000)),
		IP:       fmt.Sprintf("192.0.2.%d", 1+r.IntN(254)),
	}
}

func sentAt(n int) time.Time { return Start.Add(time.Duration(n) * time.Minute) }

// expand fills in a template of a dialect.
func (c *Complaint) expand(template string) []byte {
	template = strings.ReplaceAll(template, "{original}", original("mx.example.net"))
	hash := sha256.Sum256([]byte(c.ID))
	names := []string{
		"{n}", strconv.Itoa(c.N),
		"{id}", c.ID,
		"{user}", c.User,
		"{verp}", strings.Replace(c.User, "@", "=", 1),
		"{hash}", hex.EncodeToString(hash[:16]),
		"{subject}", mime.QEncoding.Encode("utf-8", c.Subject),
		"{campaign}", c.Campaign,
		"{ip}", c.IP,
		"{port}", strconv.Itoa(40000 + c.N%1000),
		"{sent}", c.Sent.Format(time.RFC1123Z),
		"{arrived}", c.Arrived.Format(time.RFC1123Z),
		"{arrivedISO}", c.Arrived.Format("2006-01-02T15:04:05Z"),
		"{arrivedEST}", c.Arrived.Add(-5*time.Hour).Format("Mon, 02 Jan 2006 15:04:05") + " EST",
		"{arrivedPST}", c.Arrived.Add(-8*time.Hour).Format("Mon, 2 Jan 2006 15:04:05") + " -0800 (PST)",
	}
	if strings.Contains(template, "{base64}") { // of the reported message
		text := strings.NewReplacer(names...).Replace(original("mx.example.net"))
		names = append(names, "{base64}", base64.StdEncoding.EncodeToString([]byte(text)))
	}
	return expand(template, 0, names...)
}

// header is the template of the reported message's header, as the host mx received it.
func header(mx string) string {
	return `Return-Path: <bounce+{verp}@mail.example.com>
Received: from mta.mail.example.com (mta.mail.example.com [{ip}])
	by ` + mx + ` with ESMTPS id {id}; {arrived}
Message-ID: <{campaign}.{id}@mail.example.com>
Date: {arrived}
From: Example News <news@example.com>
To: {user}
Subject: {subject}
List-Id: Example News <news.example.com>
List-Unsubscribe: <https://example.com/u/{campaign}/{id}>,
	<mailto:unsubscribe+{campaign}.{id}@example.com>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Feedback-ID: {campaign}:acct-7:news:example
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
`
}

// original is the template of the whole reported message.
func original(mx string) string {
	return header(mx) + "\nHello,\n\nthis is the letter of our campaign {campaign}.\n"
}
