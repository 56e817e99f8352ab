package process

// ownServers are mail servers that people run themselves.
var ownServers = []system{
	{
		name: "Postfix with OpenDKIM", source: "OpenDKIM 2.11 beta; messages of 2025-02", strips: []string{"{host}"}, pool: mx, dkim: opendkim,
		trace: delivered + "X-Original-To: {to}\n" + postfixHop + opendmarcFields + "{dkim}",
	},
	{
		name: "Postfix with OpenDKIM of 2026", source: "OpenDKIM pull request 346, 2026-05", strips: []string{"{host}"}, pool: mx, dkim: opendkim,
		trace: delivered + opendmarcFields + "{dkim}" + postfixHop,
	},
	{
		name: "Postfix with rspamd", source: "milter_headers of rspamd 3 and 4", pool: mx, dkim: rspamd,
		trace: delivered + postfixHop + rspamdField,
	},
	{
		name: "Postfix with rspamd and Dovecot", source: "a message of 2025-08", pool: mx, dkim: rspamd,
		trace: delivered + "Received: from {host}\n" + byLMTP + postfixHop + rspamdField + "X-Spamd-Result: default: False [-1.10 / 15.00];\n\tDMARC_POLICY_ALLOW(-0.50)[{author}]\n",
	},
	{
		name: "mailcow", source: "names of its containers, 2025", pool: [2]string{"9f86d081884c", "5d1a0f3b9c2e"}, dkim: rspamd,
		trace: delivered + "Received: from mail.example.org ([172.22.1.253])\n" + byLMTP + postfixHop2 + "Authentication-Results: rspamd-{host};\n\t" + rspamdFound + "\nX-Last-TLS-Session-Version: TLSv1.3\n",
	},
	{
		name: "Mailu", source: "Mailu issue 2260, 2022-03; its images of 2025", pool: [2]string{"99d2c7f90e76", "1a2b3c4d5e6f"}, dkim: rspamd,
		trace: delivered + "Received: from mail.example.org ([192.168.203.7])\n" + byLMTP + postfixHop2 + "Authentication-Results: mail.example.org;\n\t" + rspamdFound + "\n",
	},
	{
		name: "Mail-in-a-Box", source: "its set-up of 2024: OpenDKIM, OpenDMARC, spampd, LMTP", strips: []string{"{host}"}, pool: mx, dkim: opendkim,
		trace: delivered + "Received: from {host}\n" + byLMTP + "Received: from {host} ([127.0.0.1])\n" + byLMTP + "X-Spam-Status: No, score=-1.1\n" + postfixHop + opendmarcFields + "{dkim}",
	},
	{
		name: "docker-mailserver", source: "its set-up of 2024: OpenDKIM, OpenDMARC, amavis, LMTP", strips: []string{"{host}"}, pool: mx, dkim: opendkim,
		trace: delivered + "Received: from {host}\n" + byLMTP + "Received: from localhost (localhost [127.0.0.1])\n\tby {host} (Postfix) with ESMTP id 5E2A1\n\tfor <{to}>; {date}\nX-Virus-Scanned: Yes\n" + postfixHop + opendmarcFields + "{dkim}",
	},
	{
		name: "Stalwart", source: "0.16.25, measured by others in 2026-10; messages of 2025-12 and 2026-09", pool: mx,
		dkim: results{sep: ";\n\t", after: ";\n\t", pass: "dkim=pass header.d={d} header.s={s} header.b={b}", fail: "dkim=fail (Signature did not verify) header.d={d} header.s={s} header.b={b}", altered: "dkim=fail (Body hash did not verify) header.d={d} header.s={s} header.b={b}"},
		trace: `Delivered-To: {to}
X-Spam-Status: No
Received: from {greeting} ({greeting} [{ip}] (AS64496 Example, US))
	(using TLSv1.3 with cipher TLS13_AES_256_GCM_SHA384)
	by {host} (Stalwart SMTP) with ESMTPS id 3DE517AF3D36E02;
	{date}
Authentication-Results: {host};
	{dkim}spf=none ({host}: no SPF records found for postmaster@{greeting}) smtp.helo={greeting};
	spf={spf} ({host}: domain of {envelope} designates {ip} as permitted sender) smtp.mailfrom={envelope};
	iprev=pass policy.iprev={ip};
	dmarc={dmarc} header.from={author} policy.dmarc=reject
Received-SPF: {spf} ({host}: domain of {envelope} designates {ip} as permitted sender)
	receiver={host}; client-ip={ip}; envelope-from="{envelope}"; helo={greeting};
`,
	},
	{
		name: "sendmail with OpenDKIM", source: "sendmail 8.17", strips: []string{"{host}"}, pool: mx, dkim: opendkim,
		trace: `Return-Path: <{envelope}>
Received: from {greeting} ({greeting} [{ip}])
	by {host} (8.17.1/8.17.1) with ESMTPS id 531ENE0B015239
	(version=TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 bits=256 verify=NO)
	for <{to}>; {date}
{dkim}`,
	},
	{
		name: "amavis", source: "amavis behind Postfix, 2025-12", strips: []string{"{host}"}, pool: mx,
		dkim: results{before: "Authentication-Results: {host} (amavis);\n\t", sep: ";\n\t", after: "\n", pass: "dkim=pass (2048-bit key) header.d={d}", fail: "dkim=fail (2048-bit key)\n\treason=\"fail (message has been altered)\" header.d={d}"},
		trace: delivered + `Received: from localhost (localhost [127.0.0.1])
	by {host} (Postfix) with ESMTP id CD60B83B69
	for <{to}>; {date}
X-Virus-Scanned: amavis at example.org
{dkim}Received: from {host} ([127.0.0.1])
 by localhost ({host} [127.0.0.1]) (amavis, port 10024)
 with ESMTP id faE-9pPBKcMm for <{to}>;
 {date}
` + postfixHop,
	},
	{
		name: "Plesk", source: "by analogy", pool: mx, dkim: results{sep: ";\n\t", none: "dkim=none", pass: "dkim=pass header.d={d}", fail: "dkim=fail header.d={d}"},
		trace: delivered + "X-Original-To: {to}\n" + postfixHop + `Authentication-Results: {host};
	dmarc={dmarc} (p=REJECT sp=REJECT) smtp.from={domain} header.from={author};
	{dkim};
	spf={spf} (sender IP is {ip}) smtp.mailfrom={envelope} smtp.helo={greeting}
Received-SPF: {spf} ({host}: domain of {domain} designates {ip} as permitted sender) client-ip={ip}; envelope-from={envelope}; helo={greeting};
`,
	},
	{
		name: "Cisco", source: "a message of 2023-11", strips: []string{"{host}"}, pool: mx,
		dkim: results{sep: "; ", none: "dkim=none (message\n not signed) header.i=none", pass: "dkim=pass (signature\n verified) header.i={i}", fail: "dkim=hardfail (signature did\n not verify [final]) header.i={i}", altered: "dkim=hardfail (body hash did\n not verify [final]) header.i={i}"},
		trace: `X-IronPort-AV: E=Sophos;i="6.04,229,1695711600"; d="scan'208";a="1015356862"
Received: from {greeting} ([{ip}])
 by {host} with ESMTP/TLS/ECDHE-RSA-AES256-GCM-SHA384; {date}
Authentication-Results: {host}; spf=None
 smtp.pra={envelope}; spf={Spf}
 smtp.mailfrom={envelope}; spf=None
 smtp.helo=postmaster@{greeting}; {dkim}; dmarc={dmarc} (p=quarantine dis=none)
 d={author}
IronPort-SDR: 6563bbb8_YzGK9p
`,
	},
	{
		name: "Haraka", source: "Haraka 3.0", strips: []string{"*"}, pool: mx, // it gives the others' another name
		dkim: results{sep: "; ", none: "dkim=none", pass: "dkim=pass header.i={i} header.d={d} header.s={s}", fail: "dkim=fail header.i={i} header.d={d} header.s={s}"},
		trace: `Authentication-Results: {host};
  {dkim};
  spf={spf} smtp.mailfrom={envelope};
  dmarc={dmarc} (p=reject) header.from={author}
Received: from {greeting} ({greeting} [{ip}])
	by {host} (Haraka/3.0.1) with ESMTPS id 4A2C.1
	envelope-from <{envelope}> tls TLS_AES_256_GCM_SHA384;
	{date}
`,
	},
	{
		name: "Exim", source: "authresults with :at_start:, Exim 4.98", pool: mx,
		dkim: results{sep: ";\n\t", none: "dkim=none", pass: "dkim=pass header.d={d} header.s={s} header.a=rsa-sha256", fail: "dkim=fail (signature did not verify) header.d={d} header.s={s} header.a=rsa-sha256", altered: "dkim=fail (body hash mismatch) header.d={d} header.s={s} header.a=rsa-sha256"},
		trace: `Return-path: <{envelope}>
Envelope-to: {to}
Delivery-date: {date}
Authentication-Results: {host};
	iprev=pass ({greeting}) smtp.remote-ip={ip};
	spf={spf} smtp.mailfrom={domain};
	{dkim};
	dmarc={dmarc} header.from={author}
` + eximHop,
	},
	{
		name: "cPanel", source: "Exim 4.98 of cPanel", pool: mx,
		trace: delivered + "Received: from {host}\n" + byLMTP + "Return-path: <{envelope}>\nEnvelope-to: {to}\nDelivery-date: {date}\n" + eximHop,
	},
	{
		name: "Halon", source: "Received of 2026-03; results by analogy", strips: []string{"{host}"}, pool: mx,
		dkim: results{sep: "; ", none: "dkim=none", pass: "dkim=pass header.d={d} header.s={s}", fail: "dkim=fail header.d={d} header.s={s}"},
		trace: `Authentication-Results: {host}; {dkim}; spf={spf} smtp.mailfrom={envelope}; dmarc={dmarc} header.from={author}
Received: from {greeting} ({greeting}
 [{ip}])
 by {host} (Halon) with ESMTPS
 id 0560d3e6-1e34-11f1-b164-2bf370ae4941;
 {date}
`,
	},
	{
		name: "KumoMTA", source: "its source of 2026-06; issue 261", pool: mx,
		dkim: results{sep: ";\n\t", none: "dkim=none", pass: "dkim=pass header.d={d} header.i={i} header.a=rsa-sha256 header.s={s} header.b={qb}", fail: "dkim=fail header.d={d} header.i={i} header.a=rsa-sha256 header.s={s} header.b={qb}"},
		trace: `Authentication-Results: {host};
	{dkim};
	spf={spf} smtp.mailfrom={envelope}
Received: from {greeting} ({ip})
  by {host} (KumoMTA 10.0.0.5)
  with ESMTPS id e3a3b8582dd311f1a07502c82f9c3d17 for <{to}>;
  {date}
`,
	},
	{
		name: "maddy", source: "maddy issue 135 and its source", strips: []string{"{host}"}, pool: mx,
		dkim: results{sep: "; ", none: "dkim=none", pass: "dkim=pass header.d={d} header.i={i}", fail: "dkim=fail reason=\"signature did not verify\" header.d={d} header.i={i}"},
		trace: `Authentication-Results: {host}; {dkim};
 spf={spf} smtp.mailfrom={domain} smtp.helo={greeting}; dmarc={dmarc} header.from={author}
Received: from {greeting} ({greeting} [{ip}]) by
 {host} (envelope-sender <{envelope}>) with ESMTPS id 4d3c2b1a; {date}
`,
	},
	{
		name: "mox", source: "mox of 2025", strips: []string{"{host}"}, pool: mx,
		dkim: results{sep: ";\n\t", none: "dkim=none", pass: "dkim=pass (2048 bit rsa, \"without dnssec\")\n\theader.d={d} header.s={s} header.a=rsa-sha256 header.b={qb}", fail: "dkim=fail reason=\"verify error\" (2048 bit rsa)\n\theader.d={d} header.s={s} header.a=rsa-sha256 header.b={qb}"},
		trace: `Delivered-To: {to}
Return-Path: <{envelope}>
Authentication-Results: {host}; iprev=pass policy.iprev={ip};
	{dkim};
	spf={spf} smtp.mailfrom={domain}; dmarc={dmarc} (without dnssec) header.from={author}
Received-SPF: {spf} (without dnssec) client-ip={ip}; envelope-from="{envelope}";
	helo={greeting}; mechanism="ip4"; receiver={host}; identity=mailfrom
Received: from {greeting} ({greeting} [{ip}]) by
	{host} ([10.0.0.5]) via tcp with ESMTPS id 9TnP0xyz (TLS1.3
	TLS_AES_128_GCM_SHA256) for <{to}>; {date}
`,
	},
	{
		name: "Postal", source: "Postal 3.3", pool: mx,
		trace: `X-Postal-Spam: no
X-Postal-Threat: no
Received: from {greeting} ({greeting} [{ip}]) by {host} with SMTP; {date}
`,
	},
	{
		name: "qmail", source: "netqmail 1.06", pool: mx,
		trace: delivered + `Received: (qmail 18747 invoked by uid 109); 1 Jun 2026 10:00:02 -0000
Received: from unknown (HELO {greeting}) ({ip})
  by {host} with SMTP; 1 Jun 2026 10:00:01 -0000
`,
	},
}

// mx are two servers of one's own.
var mx = [2]string{"mx1.example.org", "mx2.example.org"}

var (
	rspamd = results{sep: ";\n\t", none: "dkim=none", pass: "dkim=pass header.d={d} header.s={s} header.b={qb}", fail: "dkim=fail (\"headers rsa verify failed\") header.d={d} header.s={s} header.b={qb}",
		altered: "dkim=fail (\"body hash did not verify\") header.d={d} header.s={s} header.b={qb}"}
	opendkim = results{before: "Authentication-Results: {host};\n\t", sep: ";\n\t", after: ";\n\tdkim-atps=neutral\n",
		pass: "dkim=pass (2048-bit key; unprotected) header.d={d} header.i={i} header.a=rsa-sha256 header.s={s} header.b={b}",
		fail: "dkim=fail reason=\"signature verification failed\" (2048-bit key; unprotected) header.d={d} header.i={i} header.a=rsa-sha256 header.s={s} header.b={b}"}
)

const (
	delivered  = "Return-Path: <{envelope}>\nDelivered-To: {to}\n"
	postfixHop = `Received: from {greeting} ({greeting} [{ip}])
	(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
	 key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256)
	(No client certificate requested)
	by {host} (Postfix) with ESMTPS id 4XC0Dy1xs6z3Z
	for <{to}>; {date}
`
	postfixHop2 = `Received: from {greeting} ({greeting} [{ip}])
	by mail.example.org (Postfix) with ESMTPS id 4XC0Dy1xs6z3Z
	for <{to}>; {date}
`
	byLMTP = `	by {host} with LMTP
	id oVdMGwtSomimuQoAytPQwA
	(envelope-from <{envelope}>)
	for <{to}>; {date}
`
	eximHop = `Received: from {greeting} ([{ip}]:48493)
	by {host} with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384
	(Exim 4.98)
	(envelope-from <{envelope}>)
	id 1e5JlH-001bwy-UA
	for {to}; {date}
`
	rspamdFound     = "{dkim};\n\tspf={spf} ({host}: domain of {envelope} designates {ip} as permitted sender) smtp.mailfrom={envelope};\n\tdmarc={dmarc} (policy=none) header.from={author}"
	rspamdField     = "Authentication-Results: {host};\n\t" + rspamdFound + "\n"
	opendmarcFields = "Authentication-Results: {host}; dmarc={dmarc} (p=none dis=none) header.from={author}\nAuthentication-Results: {host}; spf={spf} smtp.mailfrom={domain}\n"
)
