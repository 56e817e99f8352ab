// Package sample writes messages that look like those in a feedback-loop mailbox,
// for the demo, the command generate, tests and benchmarks. Equal arguments give
// equal bytes. Every line ends in CRLF.
package sample

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

var (
	subjects = []string{
		"Spring sale: 20% off everything",
		"Your weekly digest",
		"=?utf-8?Q?Neue_Angebote_f=C3=BCr_Sie?=",
		"We miss you",
		"Invoice 2026-117 is ready",
		"Last chance: webinar tomorrow",
		"=?utf-8?B?0J3QvtCy0L7RgdGC0Lgg0L3QtdC00LXQu9C4?=",
	}
	campaigns = []string{"spring", "digest", "winback", "billing", "webinar"}
	filler    = "Thank you for reading our letter to the end; here is some more of it. "
)

// Report returns the n-th feedback report (RFC 5965): an abuse complaint of
// user<n>@example.com about a message from a host in 192.0.2.0/24, sent by
// fbl@fbl.example.net. Its Message-ID is unique among all n.
//
// Size 0 gives the natural form, about 2.5 KB. Otherwise the original's body
// is padded so that the report has exactly size octets, from the natural form
// if it fits, else from the smallest form that makes a record. That form, about
// 320 octets, has no outer Date, no MIME-Version and no Source-IP; it is what a
// smaller size gets too.
func Report(n, size int) []byte {
	form := natural(n, 0)
	switch {
	case size <= 0:
		return form
	case size >= len(form):
		return natural(n, size-len(form))
	}
	return smallest(n, max(0, size-len(smallest(n, 0))))
}

func natural(n, padding int) []byte {
	sent := sentAt(n)
	arrived := sent.Add(-time.Duration(7+n%1400) * time.Minute)
	campaign := fmt.Sprintf("%s-%03d", campaigns[n%len(campaigns)], n/100)
	subject := subjects[n%len(subjects)]
	ip := fmt.Sprintf("192.0.2.%d", 1+n%254)
	boundary := fmt.Sprintf("=_report_%08d", n)

	return expand(naturalForm, padding,
		"{n}", fmt.Sprint(n),
		"{sent}", sent.Format(time.RFC1123Z),
		"{arrived}", arrived.Format(time.RFC1123Z),
		"{campaign}", campaign,
		"{subject}", subject,
		"{ip}", ip,
		"{boundary}", boundary,
	)
}

func smallest(n, padding int) []byte {
	return expand(smallestForm, padding, "{n}", fmt.Sprint(n))
}

// expand fills in a template's names and its padding, and ends its lines in
// CRLF.
func expand(template string, padding int, names ...string) []byte {
	text := strings.NewReplacer(append(names, "\n", "\r\n")...).Replace(template)
	before, after, _ := strings.Cut(text, "{padding}")
	message := make([]byte, 0, len(text)+padding)
	message = append(message, before...)
	message = appendPadding(message, padding)
	return append(message, after...)
}

// appendPadding appends exactly n octets of text in lines of at most 78, the
// last of them left open.
func appendPadding(b []byte, n int) []byte {
	const width = 70
	for n > width+2 {
		b = append(append(b, filler[:width]...), "\r\n"...)
		n -= width + 2
	}
	return append(b, bytes.Repeat([]byte("."), n)...)
}

const smallestForm = `From: fbl@fbl.example.net
Message-ID: <{n}@fbl.example.net>
Content-Type: multipart/report;report-type=feedback-report;boundary=b

--b


--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: s/1
Version: 1
Original-Rcpt-To: user{n}@example.com
--b
Content-Type: message/rfc822

Subject: {n}

{padding}
--b--
`

const naturalForm = `Received: from out.fbl.example.net (out.fbl.example.net [192.0.2.250])
	by mx.example.com (Postfix) with ESMTPS id 4F{n}
	for <fbl@example.com>; {sent}
Message-ID: <report.{n}@fbl.example.net>
Date: {sent}
From: Feedback Loop <fbl@fbl.example.net>
To: fbl@example.com
Subject: Complaint about: {subject}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report;
	boundary="{boundary}"

This is a feedback report in MIME format.

--{boundary}
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit

This is an abuse report for a mail that was received from {ip}
on {arrived}. One of our users marked it as unwanted.

--{boundary}
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: SampleFBL/1.0
Version: 1
Original-Envelope-Id: env-{n}
Original-Mail-From: <bounce+{campaign}+{n}@mail.example.com>
Original-Rcpt-To: <user{n}@example.com>
Arrival-Date: {arrived}
Reporting-MTA: dns; mx.fbl.example.net
Source-IP: {ip}
Authentication-Results: mx.fbl.example.net; spf=pass
	smtp.mailfrom=mail.example.com; dkim=pass header.d=example.com
Reported-Domain: example.com
Incidents: 1

--{boundary}
Content-Type: message/rfc822
Content-Disposition: inline

Return-Path: <bounce+{campaign}+{n}@mail.example.com>
Received: from mta.mail.example.com (mta.mail.example.com [{ip}])
	by mx.fbl.example.net with ESMTPS id in-{n}
	for <user{n}@example.com>; {arrived}
Message-ID: <{campaign}.{n}@mail.example.com>
Date: {arrived}
From: Example News <news@example.com>
To: user{n}@example.com
Subject: {subject}
List-Id: Example News <news.example.com>
List-Unsubscribe: <https://example.com/u/{campaign}/{n}>,
	<mailto:unsubscribe+{campaign}.{n}@example.com>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Feedback-ID: {campaign}:{n}:news:example
X-Campaign: {campaign}.{n}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello,

this is the letter of our campaign {campaign}. You get it because you
signed up for it at https://example.com/news.

Your team at example.com
{padding}

--{boundary}--
`
