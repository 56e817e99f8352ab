package process

// mailboxHosts are providers of mailboxes.
var mailboxHosts = []system{
	{
		name: "Gmail", source: "OpenDMARC issue 265, 2024-08; messages of 2025-01", imap: "imap.gmail.com", strips: []string{"mx.google.com"},
		pool: [2]string{"2002:a05:6402:5106:b0:5c2:1a2b:3c4d", "2002:a05:7000:1a83:b0:4e4:3f77:1234"},
		dkim: results{sep: ";\n       ", after: ";\n       ", pass: "dkim=pass header.i={i} header.s={s} header.b={qb}", fail: "dkim=fail header.i={i} header.s={s} header.b={qb}",
			altered: "dkim=neutral (body hash did not verify) header.i={i} header.s={s} header.b={qb}"},
		seal: &sealing{domain: "google.com", selector: "arc-20240605", fields: []string{"MIME-Version", "Subject", "Message-ID", "To", "From", "Date"}, found: gmailFound},
		trace: `Delivered-To: {to}
Received: by {host} with SMTP id f25csp1308300ejq;
        {date}
X-Google-Smtp-Source: AGHT+IFeHAFlORXFyHzx2cKGXga8SCUeCuFY6n
X-Received: by 2002:a05:6214:3d99:b0:6b5:2f57:1a63 with SMTP id 6a1803df08f44-6c341e40333mr7250936d6.21;
        {date}
{arc}Return-Path: <{envelope}>
Received: from {greeting} ({greeting}. [{ip}])
        by mx.google.com with ESMTPS id 5b1f17b1804b1-437c74a7c92si50645955e9.47
        for <{to}>
        (version=TLS1_2 cipher=ECDHE-ECDSA-AES128-GCM-SHA256 bits=128/128);
        {date}
Received-SPF: {spf} (google.com: domain of {envelope} designates {ip} as permitted sender) client-ip={ip};
Authentication-Results: ` + gmailFound + "\n",
	},
	{
		name: "Fastmail", source: "a message of 2026-09", imap: "imap.fastmail.com", strips: []string{"{host}.messagingengine.com"}, pool: [2]string{"phl-mx-04", "ams-mx-11"},
		dkim: results{sep: ";\n    ", none: "dkim=none (no signatures found)",
			pass: "dkim=pass (2048-bit rsa key sha256) header.d={d}\n      header.i={i} header.b={b} header.a=rsa-sha256\n      header.s={s}",
			fail: "dkim=fail (message has been altered, 2048-bit rsa key sha256) header.d={d}\n      header.i={i} header.b={b} header.a=rsa-sha256\n      header.s={s}"},
		seal: &sealing{domain: "messagingengine.com", selector: "fm1", fields: careful, found: "{host}.messagingengine.com;\n    x-csa=none;\n    x-me-sender=none;\n    bimi=none (No BIMI records found);\n    arc=none (no signatures found);\n    " + fastmailFound},
		trace: `Return-Path: <{envelope}>
Received: from ams-compute-02.internal (ams-compute-02.internal [10.64.2.62])
	 by slot-of-{host} (Cyrus 3.13.7-879-g3d7eacd738-fm) with LMTPA;
	 {date}
X-Cyrus-Session-Id: slotai03m05-1790704934-1293611-2-1
X-Sieve: CMU Sieve 3.0
X-Spam-known-sender: no
X-Spam-hits: SPF_PASS -0.001, LANGUAGES en
X-Spam-source: IP='{ip}', Host='{greeting}', Country='US'
X-Delivered-to: {to}
X-Mail-from: {envelope}
Received: from {host} ([10.202.2.203])
  by ams-compute-02.internal (LMTPProxy); {date}
Received: from {host}.messagingengine.com (localhost [127.0.0.1])
	by mailmx.phl.internal (Postfix) with ESMTP id A71211EA00E7
	for <{to}>; {date}
Received: from mailmx.phl.internal (localhost [127.0.0.1])
    by {host}.messagingengine.com (Authentication Milter) with ESMTP
    id 35022C783BF.281071EA00F1;
    {date}
{arc}X-ME-Authentication-Results: {host}.messagingengine.com;
    x-tls=pass smtp.version=TLSv1.3 smtp.cipher=TLS_AES_256_GCM_SHA384;
    x-vs=clean score=20 state=14
Authentication-Results: {host}.messagingengine.com;
    x-csa=none;
    x-me-sender=none;
    x-ptr=pass smtp.helo={greeting}
      policy.ptr={greeting}
Authentication-Results: {host}.messagingengine.com;
    bimi=none (No BIMI records found)
Authentication-Results: {host}.messagingengine.com;
    arc=none (no signatures found)
Authentication-Results: {host}.messagingengine.com;
    ` + fastmailFound + `
X-ME-VSCause: dmFkZTEFFWS9U
X-ME-VSScore: 20
Received-SPF: {spf}
    ({domain}: Sender is authorized to use '{envelope}' in 'mfrom' identity)
    receiver={host}.messagingengine.com;
    identity=mailfrom;
    envelope-from="{envelope}";
    helo={greeting};
    client-ip={ip}
Received: from {greeting} ({greeting} [{ip}])
	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
	 key-exchange ECDHE (prime256v1) server-signature RSA-PSS (2048 bits) server-digest SHA256)
	(No client certificate requested)
	by {host}.messagingengine.com (Postfix) with ESMTPS id 281071EA00F1
	for <{to}>; {date}
`,
	},
	{
		name: "Yahoo", source: "messages of 2022-07 and 2024-01", imap: "imap.mail.yahoo.com", strips: []string{"{host}"},
		pool: [2]string{"atlas-production.v2-mail-prod1-bf1.omega.yahoo.com", "atlas-production.v2-mail-prod1-gq1.omega.yahoo.com"},
		dkim: results{sep: ";\n ", none: "dkim=unknown", pass: "dkim=pass header.i={i} header.s={s}", fail: "dkim=perm_fail header.i={i} header.s={s}"},
		trace: `Received: from 127.0.0.1
 by {host} pod-id atlas--production-bf1-f5f869c9-28bqw.bf1.yahoo.com with HTTP; {date}
Return-Path: <{envelope}>
X-Originating-Ip: [{ip}]
Received-SPF: {spf} (domain of {domain} designates {ip} as permitted sender)
Authentication-Results: {host};
 {dkim};
 spf={spf} smtp.mailfrom={domain};
 dmarc={dmarc}(p=REJECT) header.from={author};
X-Apparently-To: {to}; {date}
X-YMailISG: _J9cirwWLDtUbYq
Received: from {ip} (EHLO {greeting})
 by 10.196.38.6 with SMTPs
 (version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256);
 {date}
`,
	},
	{
		name: "Zoho", source: "messages of 2024-01 and 2026-01", imap: "imap.zoho.com", strips: []string{"mx.zohomail.com"}, pool: [2]string{"1769286906123456.789", "1780308000654321.12"},
		dkim: results{one: true, after: ";\n\t", pass: "dkim=pass", fail: "dkim=fail"},
		seal: &sealing{domain: "zohomail.com", selector: "zohoarc", fields: []string{"Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"},
			dkim:  results{sep: ";\n\t", after: ";\n\t", pass: "dkim=pass  header.i={d}", fail: "dkim=fail  header.i={d}"},
			found: "mx.zohomail.com;\n\t{dkim}spf={spf}  smtp.mailfrom={envelope};\n\tdmarc={dmarc} header.from=<feedback@{author}>"},
		trace: `Delivered-To: {to}
Received-SPF: {spf} (zohomail.com: domain of {domain} designates {ip} as permitted sender) client-ip={ip}; envelope-from={envelope}; helo={greeting};
Authentication-Results: mx.zohomail.com;
	{dkim}spf={spf} (zohomail.com: domain of {domain} designates {ip} as permitted sender)  smtp.mailfrom={envelope};
	dmarc={dmarc}(p=reject dis=none)  header.from={author}
{arc}Return-Path: <{envelope}>
Received: from {greeting} ({greeting} [{ip}]) by mx.zohomail.com
	with SMTPS id {host}; {date}
`,
	},
	{
		name: "iCloud", source: "a message of 2024-01; results of 2026-09", imap: "imap.mail.me.com",
		strips: []string{"bimi.icloud.com", "arc.icloud.com", "dmarc.icloud.com", "dkim-verifier.icloud.com", "spf.icloud.com"},
		pool:   [2]string{"p116-mailgateway-smtp-746c496c44-6mknn", "p44-mailgateway-smtp-778464bd6-glqrh"},
		dkim: results{sep: "\n", none: "Authentication-Results: dkim-verifier.icloud.com; dkim=none",
			pass: "Authentication-Results: dkim-verifier.icloud.com;\n\tdkim=pass (2048-bit key) header.d={d} header.i={i} header.b={b}",
			fail: "Authentication-Results: dkim-verifier.icloud.com;\n\tdkim=fail (2048-bit key) header.d={d} header.i={i} header.b={b}"},
		trace: `Return-path: <{envelope}>
Original-recipient: rfc822;{to}
Received: from ci74p00im-qukt09072702.me.com by {host} (mailgateway 2403B92)
	with SMTP id 4f24e911-87c4-4315-8f0b-f8245274ec19 
	for <{to}>; {date}
X-Apple-MoveToFolder: INBOX 
X-Apple-Action: MOVE_TO_FOLDER/INBOX
X-Apple-UUID: 4f24e911-87c4-4315-8f0b-f8245274ec19
Received: from {greeting} ({greeting} [{ip}])
	by ci74p00im-qukt09072702.me.com (Postfix) with ESMTPS id 11C766C0012C
	for <{to}>; {date}
X-ICL-SCORE: 3.332033030043
X-ICL-INFO: GAtbVUseBVFHSVVESAMG
Authentication-Results: bimi.icloud.com; bimi=skipped reason="insufficient dmarc"
X-ARC-Info: policy=fail; arc=none
Authentication-Results: arc.icloud.com; arc=none
Authentication-Results: dmarc.icloud.com; dmarc={dmarc} header.from={author}
X-DMARC-Info: pass={dmarc}; dmarc-policy=reject; s=r1; d=r1; pdomain={author}
X-DMARC-Policy: v=DMARC1; p=reject
{dkim}
Authentication-Results: spf.icloud.com; spf={spf} (spf.icloud.com: domain of {envelope} designates {ip} as permitted sender) smtp.mailfrom={envelope}
Received-SPF: {spf} (spf.icloud.com: domain of {envelope} designates {ip} as permitted sender) receiver=spf.icloud.com; client-ip={ip}; helo={greeting}; envelope-from={envelope}
`,
	},
	{
		name: "iCloud of 2026", source: "results and hosts of 2026-09", imap: "imap.mail.me.com",
		strips: []string{"bimi.icloud.com", "arc.icloud.com", "dmarc.icloud.com", "dkim-verifier.icloud.com", "spf.icloud.com"},
		pool:   [2]string{"p116-mailgateway-smtp-746c496c44-6mknn", "p44-mailgateway-smtp-778464bd6-glqrh"},
		dkim: results{sep: "\n", none: "Authentication-Results: dkim-verifier.icloud.com; dkim=none",
			pass: "Authentication-Results: dkim-verifier.icloud.com;\n\tdkim=pass (2048-bit key) header.d={d} header.i={i} header.b={b}",
			fail: "Authentication-Results: dkim-verifier.icloud.com;\n\tdkim=fail (2048-bit key) header.d={d} header.i={i} header.b={b}"},
		trace: `Return-path: <{envelope}>
Original-recipient: rfc822;{to}
Received: from p00-icloudmta-smtpin-us-central-1k-60-percent-6 by {host} (mailgateway 2403B92)
	with SMTP id 4f24e911-87c4-4315-8f0b-f8245274ec19 
	for <{to}>; {date}
X-Apple-MoveToFolder: INBOX 
X-Apple-Action: MOVE_TO_FOLDER/INBOX
X-Apple-UUID: 4f24e911-87c4-4315-8f0b-f8245274ec19
Received: from {greeting} ({greeting} [{ip}])
	by p00-icloudmta-smtpin-us-central-1k-60-percent-6 (Postfix) with ESMTPS id 11C766C0012C
	for <{to}>; {date}
X-ICL-SCORE: 3.332033030043
X-ICL-INFO: GAtbVUseBVFHSVVESAMG
Authentication-Results: bimi.icloud.com; bimi=skipped reason="insufficient dmarc"
X-ARC-Info: policy=fail; arc=none
Authentication-Results: arc.icloud.com; arc=none
Authentication-Results: dmarc.icloud.com; dmarc={dmarc} header.from={author}
X-DMARC-Info: pass={dmarc}; dmarc-policy=reject; s=r1; d=r1; pdomain={author}
X-DMARC-Policy: v=DMARC1; p=reject
{dkim}
Authentication-Results: spf.icloud.com; spf={spf} (spf.icloud.com: domain of {envelope} designates {ip} as permitted sender) smtp.mailfrom={envelope}
Received-SPF: {spf} (spf.icloud.com: domain of {envelope} designates {ip} as permitted sender) receiver=spf.icloud.com; client-ip={ip}; helo={greeting}; envelope-from={envelope}
`,
	},
	{
		name: "Yandex", source: "messages of 2026-05", imap: "imap.yandex.com",
		pool: [2]string{"mail-nwsmtp-mxfront-production-main-90.sas.yp-c.yandex.net", "mail-nwsmtp-mxfront-production-main-59.iva.yp-c.yandex.net"},
		dkim: results{before: "; ", sep: "; ", pass: "dkim=pass header.i={i}", fail: "dkim=fail header.i={i}"},
		trace: `Received: from postback17b.mail.yandex.net (postback17b.mail.yandex.net [10.17.0.17])
	by tzjn5bhp3dymwlvf.sas.yp-c.yandex.net (notsolitesrv) with LMTPS id KS5vxVjZ9mCj-xlYXjvUd
	for <{to}>; {date}
Received: from {host} ({host} [10.17.0.90])
	by postback17b.mail.yandex.net (Yandex) with ESMTPS id 488C8C00DF
	for <{to}>; {date}
Received: from {greeting} ({greeting} [{ip}])
	by {host} (mxfront) with ESMTPS id 8bhJm38KCOs0-AEbiCRF6;
	{date}
X-Yandex-Fwd: 1
Authentication-Results: {host}; spf={spf} ({host}: domain of {domain} designates {ip} as permitted sender, rule=[ip4:{ip}]) smtp.mail={envelope}{dkim}
X-Yandex-Spam: 1
`,
	},
	{
		name: "Proton", source: "proton-bridge issue 321, 2024-09; messages of 2026-07", strips: []string{"mail.protonmail.ch"}, pool: [2]string{"mailin047.protonmail.ch", "mailin012.protonmail.ch"},
		dkim: results{sep: "; ", none: "dkim=none", pass: "dkim=pass (Good 2048\n    bit rsa-sha256 signature) header.d={d} header.a=rsa-sha256", fail: "dkim=fail (Bad 2048 bit\n    rsa-sha256 signature.) header.d={d} header.a=rsa-sha256"},
		again: results{sep: "; ", none: "dkim=none", pass: "dkim=pass (2048-bit key)\n header.d={d} header.i={i} header.b=\"{b}\"",
			fail: "dkim=fail reason=\"signature verification failed\" (2048-bit key)\n header.d={d} header.i={i} header.b=\"{b}\""},
		trace: `Return-Path: <{envelope}>
X-Original-To: {to}
Delivered-To: {to}
Authentication-Results: mail.protonmail.ch; {dkim}
Authentication-Results: mail.protonmail.ch; dmarc={dmarc} (p=reject dis=none)
 header.from={author}
Authentication-Results: mail.protonmail.ch; spf={spf} smtp.mailfrom={domain}
Authentication-Results: mail.protonmail.ch; arc=none smtp.remote-ip={ip}
Authentication-Results: mail.protonmail.ch; {again}
Received: from {greeting} ({greeting} [{ip}])
 (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
  key-exchange X25519 server-signature RSA-PSS (4096 bits)) (No client certificate
 requested) by {host} (Postfix) with ESMTPS id 4XC0Dy1xs6z3Z for <{to}>; {date}
`,
	},
	{
		name: "GMX", source: "messages of 2022-12 and 2023-01", imap: "imap.gmx.net", strips: []string{"gmx.net"}, pool: [2]string{"mx-ha.gmx.net", "mx-ha.web.de"},
		dkim: results{sep: "; ", none: "dkim=none", pass: "dkim=pass header.i={i}", fail: "dkim=fail header.i={i}"},
		trace: `Return-Path: <{envelope}>
Authentication-Results: gmx.net; {dkim}
Received: from {greeting} ([{ip}]) by {host} (mxgmx114
 [10.15.17.5]) with ESMTPS (Nemesis) id 1MaJKP-1pWHuy2AM9-00WQcz for
 <{to}>; {date}
Envelope-To: <{to}>
`,
	},
	{
		name: "Migadu", source: "messages of 2025-11", imap: "imap.migadu.com", strips: []string{"{host}"}, pool: [2]string{"aspmx1.migadu.com", "aspmx2.migadu.com"}, dkim: rspamd,
		trace: `Delivered-To: {to}
Received: from mp0.migadu.com ([10.41.0.1])
	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
	by ms17.migadu.com with LMTPS
	id CCgvI27vEGmVSAAAqHPOHw:P1
	(envelope-from <{envelope}>)
	for <{to}>; {date}
Received: from {host} ([10.41.0.2])
	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
	by mp0.migadu.com with LMTPS
	id CCgvI27vEGmVSAAAqHPOHw
	(envelope-from <{envelope}>)
	for <{to}>; {date}
X-Envelope-To: {to}
` + rspamdField + postfixHop,
	},
	{
		name: "mailbox.org", source: "proton-bridge issue 321, 2024-09", imap: "imap.mailbox.org", strips: []string{"{host}"}, pool: [2]string{"spamfilter01.heinlein-hosting.de", "spamfilter06.heinlein-hosting.de"},
		dkim: results{before: "Authentication-Results: {host} (amavisd-new);\n\t", sep: ";\n\t", after: "\n", pass: "dkim=pass (2048-bit key) header.d={d}", fail: "dkim=fail (2048-bit key)\n\treason=\"fail (message has been altered)\" header.d={d}"},
		trace: `Return-Path: <{envelope}>
Delivered-To: {to}
Received: from director-05.heinlein-hosting.de ([10.80.60.5])
	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))
	by dobby39a.heinlein-hosting.de with LMTPS
	id QAguNCBH8WZjqwEATazItQ:P1
	(envelope-from <{envelope}>)
	for <{to}>; {date}
Received: from mx2.mailbox.org ([10.80.60.6])
	by director-05.heinlein-hosting.de with LMTPS
	id QAguNCBH8WZjqwEATazItQ
	(envelope-from <{envelope}>)
	for <{to}>; {date}
{dkim}Received: from {greeting} ({greeting} [{ip}])
	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
	 key-exchange X25519 server-signature RSA-PSS (4096 bits))
	(No client certificate requested)
	by mx2.mailbox.org (Postfix) with ESMTPS id 3C16AA2C72
	for <{to}>; {date}
`,
	},
	{
		name: "Amazon SES", source: "messages of 2023-11; a test of 2026-09", imap: "imap.mail.us-east-1.awsapps.com", pool: [2]string{"inbound-smtp.us-east-1.amazonaws.com", "inbound-smtp.eu-west-1.amazonaws.com"},
		dkim: results{sep: ";\n ", none: "dkim=none", pass: "dkim=pass header.i={i}", fail: "dkim=fail header.i={i}"},
		trace: `Return-Path: <{envelope}>
Received: from {greeting} ({greeting} [{ip}])
 by {host} with SMTP id k88489vmck45oc0fbhesk66ursv8s3bqki2hea81
 for {to};
 {date}
X-SES-Spam-Verdict: PASS
X-SES-Virus-Verdict: PASS
Received-SPF: {spf} (spfCheck: domain of {domain} designates {ip} as permitted sender) client-ip={ip}; envelope-from={envelope}; helo={greeting};
Authentication-Results: amazonses.com;
 spf={spf} (spfCheck: domain of {domain} designates {ip} as permitted sender) client-ip={ip}; envelope-from={envelope}; helo={greeting};
 {dkim};
 dmarc={dmarc} header.from={author};
X-SES-RECEIPT: AEFBQUFBQUFBQUFH
X-SES-DKIM-SIGNATURE: a=rsa-sha256; q=dns/txt; b=J9lT; c=relaxed/simple; s=x; d=amazonses.com; v=1; bh=9Q=; h=From;
`,
	},
}

const (
	gmailFound = `mx.google.com;
       {dkim}spf={spf} (google.com: domain of {envelope} designates {ip} as permitted sender) smtp.mailfrom={envelope};
       dmarc={dmarc} (p=REJECT sp=REJECT dis=NONE) header.from={author}`
	fastmailFound = `dkim2=none (no signatures found);
    {dkim};
    dmarc={dmarc} policy.published-domain-policy=reject
      policy.applied-disposition=none policy.evaluated-disposition=none
      (p=reject,d=none,d.eval=none) policy.policy-from=p
      header.from={author};
    iprev=pass smtp.remote-ip={ip}
      ({greeting});
    spf={spf} smtp.mailfrom={envelope}
      smtp.helo={greeting}`
)
