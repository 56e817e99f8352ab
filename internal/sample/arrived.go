package sample

import "strings"

// Arrived is a report of about size octets, from 3 KB on, with the trace fields
// and signatures that it and the reported message have when they arrive. It names
// user@example.com and 192.0.2.10; the most of it is the original's body. It
// has four parts, the whole among them.
func Arrived(size int) []byte {
	var b strings.Builder
	b.WriteString(strings.Join([]string{
		"Return-Path: <fbl@feedback.example.com>",
		"Received: from mx.example.com (mx.example.com [192.0.2.25])",
		"\tby mail.example.net (Postfix) with ESMTPS id 4XyZ1234",
		"\tfor <fbl@example.net>; Mon, 06 Jul 2026 10:00:05 +0000 (UTC)",
		"Received: from out-3.feedback.example.com (out-3.feedback.example.com [192.0.2.24])",
		"\tby mx.example.com (Postfix) with ESMTPS id 4XyZ1233; Mon, 06 Jul 2026 10:00:03 +0000 (UTC)",
		"Received: from fbl-generator (fbl-generator.example.com [192.0.2.23])",
		"\tby out-3.feedback.example.com with ESMTP id 77aa; Mon, 06 Jul 2026 10:00:01 +0000",
		"Authentication-Results: mail.example.net; dkim=pass (2048-bit key) header.d=feedback.example.com;",
		"\tspf=pass smtp.mailfrom=fbl@feedback.example.com; dmarc=pass header.from=feedback.example.com",
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=feedback.example.com; s=2026;",
		"\th=from:to:subject:date:message-id:mime-version:content-type; bh=Zk3jOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
		"\tb=" + strings.Repeat("IjKlMnOp", 40),
		"X-Loop: fbl",
		"X-Report-Number: 1234",
		"From: Feedback <fbl@feedback.example.com>",
		"To: fbl@example.net",
		"Subject: Email Feedback Report for IP 192.0.2.10",
		"Date: Mon, 06 Jul 2026 10:00:00 +0000",
		"Message-ID: <20260706100000.1234@feedback.example.com>",
		"MIME-Version: 1.0",
		"Content-Type: multipart/report; report-type=feedback-report;",
		"\tboundary=\"----=_Part_1234_5678.1783332000\"",
		"",
		"------=_Part_1234_5678.1783332000",
		"Content-Type: text/plain; charset=us-ascii",
		"Content-Transfer-Encoding: 7bit",
		"",
		"This is an email abuse report for an email message received from IP",
		"192.0.2.10 on Mon, 06 Jul 2026 09:58:12 +0000.",
		"",
		"------=_Part_1234_5678.1783332000",
		"Content-Type: message/feedback-report",
		"Content-Transfer-Encoding: 7bit",
		"",
		"Feedback-Type: abuse",
		"User-Agent: ExampleFBL/1.0",
		"Version: 1",
		"Original-Mail-From: <bounce+4711@news.example.net>",
		"Original-Rcpt-To: <user@example.com>",
		"Arrival-Date: Mon, 06 Jul 2026 09:58:12 +0000",
		"Source-IP: 192.0.2.10",
		"Reported-Domain: news.example.net",
		"Authentication-Results: mx.example.com; dkim=pass header.d=news.example.net;",
		"\tspf=pass smtp.mailfrom=bounce+4711@news.example.net",
		"Abuse-Type: complaint",
		"",
		"------=_Part_1234_5678.1783332000",
		"Content-Type: message/rfc822",
		"Content-Disposition: inline",
		"",
		"Return-Path: <bounce+4711@news.example.net>",
		"Received: from mail.news.example.net (mail.news.example.net [192.0.2.10])",
		"\tby mx.example.com with ESMTPS id 987654; Mon, 06 Jul 2026 09:58:12 +0000",
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=news.example.net; s=k1;",
		"\th=from:to:subject:date:message-id:list-unsubscribe; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;",
		"\tb=" + strings.Repeat("AbCdEfGh", 30),
		"From: News <news@news.example.net>",
		"To: user@example.com",
		"Subject: What is new in July",
		"Date: Mon, 06 Jul 2026 09:58:00 +0000",
		"Message-ID: <4711.42@news.example.net>",
		"List-Unsubscribe: <https://news.example.net/u/4711>, <mailto:u-4711@news.example.net>",
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click",
		"MIME-Version: 1.0",
		"Content-Type: multipart/alternative; boundary=\"inner\"",
		"",
		"--inner",
		"Content-Type: text/plain; charset=utf-8",
		"",
		"",
	}, "\n"))
	end := "\n--inner--\n\n------=_Part_1234_5678.1783332000--\n"
	const line = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod.\n"
	for b.Len() < (size-len(end))/2 {
		b.WriteString(line)
	}
	b.WriteString("\n--inner\nContent-Type: text/html; charset=utf-8\n\n")
	for b.Len() < size-len(end) {
		b.WriteString("<p>" + line)
	}
	b.WriteString(end)
	return []byte(strings.ReplaceAll(b.String(), "\n", "\r\n"))
}
