package sample

import (
	"fmt"
	"time"
)

// Message returns the n-th message that is no feedback report but lies in the same
// mailbox: kind is "dsn" (RFC 3464), "mdn" (RFC 8098), "autoreply"
// (RFC 3834) or "human". Another kind is a programming error and panics.
func Message(n int, kind string) []byte {
	template, ok := neighbours[kind]
	if !ok {
		panic("sample: no message of kind " + kind)
	}
	sent := sentAt(n)
	return expand(template, 0,
		"{n}", fmt.Sprint(n),
		"{sent}", sent.Format(time.RFC1123Z),
	)
}

var neighbours = map[string]string{
	"dsn": `Return-Path: <>
Message-ID: <dsn.{n}@mx.example.net>
Date: {sent}
From: Mail Delivery System <MAILER-DAEMON@mx.example.net>
To: bounce+{n}@mail.example.com
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="=_dsn_{n}"

--=_dsn_{n}
Content-Type: text/plain; charset=us-ascii

Your mail could not be delivered: user unknown.

--=_dsn_{n}
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: {sent}

Final-Recipient: rfc822; user{n}@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--=_dsn_{n}
Content-Type: text/rfc822-headers

Message-ID: <spring.{n}@mail.example.com>
From: Example News <news@example.com>
To: user{n}@example.net
Subject: Spring sale

--=_dsn_{n}--
`,
	"mdn": `Message-ID: <mdn.{n}@example.net>
Date: {sent}
From: user{n}@example.net
To: news@example.com
Subject: Read: Your weekly digest
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification;
	boundary="=_mdn_{n}"

--=_mdn_{n}
Content-Type: text/plain; charset=us-ascii

Your mail was displayed.

--=_mdn_{n}
Content-Type: message/disposition-notification

Reporting-UA: example.net; Sample
Final-Recipient: rfc822; user{n}@example.net
Original-Message-ID: <digest.{n}@mail.example.com>
Disposition: automatic-action/MDN-sent-automatically; displayed

--=_mdn_{n}--
`,
	"autoreply": `Message-ID: <auto.{n}@example.net>
Date: {sent}
From: user{n}@example.net
To: news@example.com
Subject: Out of office: Your weekly digest
In-Reply-To: <digest.{n}@mail.example.com>
Auto-Submitted: auto-replied
Precedence: bulk
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

I am away until Monday and read no mail.
`,
	"human": `Message-ID: <human.{n}@example.net>
Date: {sent}
From: A Reader <user{n}@example.net>
To: fbl@example.com
Subject: Question about your letter
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

Hello, how do I change the address that you write to?

Best regards, a reader
`,
}
