package process

// exchangeSystems are Exchange, with and without somebody in front. Exchange
// Online gives foreign Authentication-Results another name.
var exchangeSystems = []system{
	{
		name: "Microsoft 365", source: "messages of 2025-04 and 2026-04", imap: "outlook.office365.com", renames: true, pool: [2]string{"SJ0PR10MB4528.namprd10", "DM6PR11MB9999.namprd11"},
		dkim: exchangeResults, trace: exchangeHops,
	},
	{
		name: "Microsoft 365 with ARC", source: "ARC sets of 2025 and 2026", imap: "outlook.office365.com", renames: true, pool: [2]string{"SJ0PR10MB4528.namprd10", "DM6PR11MB9999.namprd11"},
		dkim: exchangeResults, trace: "{arc}" + exchangeHops,
		seal: &sealing{domain: "microsoft.com", selector: "arcselector10001", fields: []string{"From", "Date", "Subject", "Message-ID", "Content-Type", "MIME-Version"},
			found: "mx.microsoft.com 1; spf={spf} (sender ip is\n {ip}) smtp.rcpttodomain=example.org smtp.mailfrom={domain};\n dmarc={dmarc} (p=none sp=none pct=100) action=none header.from={author}; {dkim}; arc=none (0)"},
	},
	{
		name: "Microsoft 365 of 21Vianet", source: "by analogy", imap: "partner.outlook.cn", renames: true, pool: [2]string{"ZQ0PR01MB1234", "NT0PR01MB1234"}, dkim: exchangeResults,
		trace: `Received: from {host}.CHNPR01.prod.partner.outlook.cn (10.43.0.5) by
 ZQ0PR01MB1000.CHNPR01.prod.partner.outlook.cn with HTTPS; {date}
` + exchangeFound + `Received: from {greeting} ({ip}) by
 ZQ2FFO11FD012.mail.protection.partner.outlook.cn (10.43.0.12) with Microsoft
 SMTP Server id 15.20.8606.22 via Frontend Transport; {date}
`,
	},
	{
		name: "Microsoft 365 of the US government", source: "messages of 2020-09; by analogy", imap: "outlook.office365.us", renames: true, pool: [2]string{"BN3P110MB0283.NAMP110", "SA1P110MB1600.NAMP110"}, dkim: exchangeResults,
		trace: `Received: from {host}.PROD.OUTLOOK.COM (10.43.0.5) by
 BN3P110MB0300.NAMP110.PROD.OUTLOOK.COM with HTTPS; {date}
` + exchangeFound + `Received: from {greeting} ({ip}) by
 BN3USG02FT012.mail.protection.office365.us (10.43.0.12) with Microsoft
 SMTP Server id 15.20.8606.22 via Frontend Transport; {date}
`,
	},
	{
		name: "Microsoft 365 behind Proofpoint", source: "messages of 2020-12 and 2025-04", imap: "outlook.office365.com", renames: true, pool: [2]string{"mx0a-00000d07.pphosted.com", "mx0b-00000d07.pphosted.com"},
		dkim: exchangeResults, trace: exchangeHops,
		gateway: &gateway{strips: "ppops.net", dkim: results{sep: ";\n\t", after: ";\n\t", pass: "dkim=pass header.d={d} header.s={s}", fail: "dkim=fail header.d={d} header.s={s}"},
			trace: `Received: from pps.filterd (m0342460.ppops.net [127.0.0.1])
	by {host} (8.18.1.2/8.18.1.2) with ESMTP id 531ENE0B015239
	for <{to}>; {date}
Authentication-Results: ppops.net;
	spf={spf} smtp.mailfrom={envelope};
	{dkim}dmarc={dmarc} header.from={author}
Received: from {greeting} ({greeting} [{ip}])
	by {host} (PPS) with ESMTPS id 3kku4x9qf3-1
	(version=TLSv1.2 cipher=ECDHE-RSA-AES256-GCM-SHA384 bits=256 verify=NO);
	{date}
`},
	},
	{
		name: "Microsoft 365 behind Mimecast", source: "Received of 2024 to 2026; results by analogy", imap: "outlook.office365.com", renames: true, pool: [2]string{"us-smtp-delivery-124.mimecast.com", "eu-smtp-delivery-7.mimecast.com"},
		dkim: exchangeResults, trace: exchangeHops,
		gateway: &gateway{strips: "relay.mimecast.com", dkim: rspamd,
			trace: `Received: from {greeting} ({greeting}
 [{ip}]) by relay.mimecast.com with ESMTP with STARTTLS
 (version=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384) id
 us-mta-632-OQg5VYhOP0mjFpLxCLpfTw-1; {date}
X-MC-Unique: OQg5VYhOP0mjFpLxCLpfTw-1
X-Mimecast-MFC-AGG-ID: OQg5VYhOP0mjFpLxCLpfTw_1722411267
Authentication-Results: relay.mimecast.com;
	{dkim};
	dmarc={dmarc} (policy=none) header.from={author};
	spf={spf} (relay.mimecast.com: domain of {envelope} designates {ip} as permitted sender) smtp.mailfrom={envelope}
`},
	},
	{
		name: "Microsoft 365 behind Barracuda", source: "Received of 2025-09", imap: "outlook.office365.com", renames: true,
		pool: [2]string{"mx-inbound12-124.us-east-2b.ess.aws.cudaops.com", "mx-inbound3-7.us-east-2a.ess.aws.cudaops.com"},
		dkim: exchangeResults, trace: exchangeHops,
		gateway: &gateway{trace: `X-ASG-Debug-ID: 1726829360-1eb14e31a7113cb0001-QCVQLf
Received: from {greeting} ({greeting} [{ip}]) by {host} with ESMTP id DjhYEw5aHz0JQR6p (version=TLSv1.2 cipher=ECDHE-RSA-AES128-GCM-SHA256 bits=128 verify=NO); {date}
X-Barracuda-Envelope-From: {envelope}
X-Barracuda-Effective-Source-IP: {greeting}[{ip}]
X-Barracuda-Apparent-Source-IP: {ip}
`},
	},
	{
		name: "Microsoft 365 behind Mimecast that changes nothing", source: "Received of 2024 to 2026; results by analogy", imap: "outlook.office365.com", renames: true, pool: [2]string{"us-smtp-delivery-124.mimecast.com", "eu-smtp-delivery-7.mimecast.com"},
		dkim: exchangeResults, trace: exchangeHops,
		gateway: &gateway{leaves: true, strips: "relay.mimecast.com", dkim: rspamd,
			trace: `Received: from {greeting} ({greeting}
 [{ip}]) by relay.mimecast.com with ESMTP with STARTTLS
 (version=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384) id
 us-mta-632-OQg5VYhOP0mjFpLxCLpfTw-1; {date}
X-MC-Unique: OQg5VYhOP0mjFpLxCLpfTw-1
X-Mimecast-MFC-AGG-ID: OQg5VYhOP0mjFpLxCLpfTw_1722411267
Authentication-Results: relay.mimecast.com;
	{dkim};
	dmarc={dmarc} (policy=none) header.from={author};
	spf={spf} (relay.mimecast.com: domain of {envelope} designates {ip} as permitted sender) smtp.mailfrom={envelope}
`},
	},
	{
		name: "Exchange on premises", source: "Received of 2024-09 (15.1.2507)", imap: "mail.example.org", pool: [2]string{"EX01.example.org", "EX02.example.org"},
		trace: `Received: from {host} (10.28.252.164) by MBX01.example.org
 (10.28.252.163) with Microsoft SMTP Server (version=TLS1_2,
 cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.1.2507.39 via Mailbox
 Transport; {date}
Received: from {greeting} ({ip}) by {host}
 (10.28.252.164) with Microsoft SMTP Server (version=TLS1_2,
 cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.1.2507.39 via Frontend
 Transport; {date}
`,
	},
}

var exchangeResults = results{sep: " ", none: "dkim=none (message not signed)\n header.d=none;", pass: "dkim=pass (signature was\n verified) header.d={d};", fail: "dkim=fail (signature\n did not verify) header.d={d};",
	altered: "dkim=fail (body hash did\n not verify) header.d={d};"}

const (
	exchangeFound = `Authentication-Results: spf={spf} (sender IP is {ip})
 smtp.mailfrom={domain}; {dkim}dmarc={dmarc} action=none
 header.from={author};compauth={dmarc} reason=100
Received-SPF: {Spf} (protection.outlook.com: domain of {domain} designates
 {ip} as permitted sender) receiver=protection.outlook.com;
 client-ip={ip}; helo={greeting}; pr=C
`
	exchangeHops = `Received: from {host}.prod.outlook.com (2603:10b6:a03:2d0::5)
 by SJ0PR10MB4527.namprd10.prod.outlook.com with HTTPS; {date}
Received: from BN9PR03CA0123.namprd03.prod.outlook.com (2603:10b6:408:fe::8) by
 {host}.prod.outlook.com (2603:10b6:a03:2d0::5) with Microsoft SMTP
 Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id
 15.20.8606.22; {date}
Received: from BN1PEPF00004688.namprd05.prod.outlook.com
 (2603:10b6:408:fe:cafe::ab) by BN9PR03CA0123.outlook.office365.com
 (2603:10b6:408:fe::8) with Microsoft SMTP Server (version=TLS1_3,
 cipher=TLS_AES_256_GCM_SHA384) id 15.20.8606.22 via Frontend Transport; {date}
` + exchangeFound + `Received: from {greeting} ({ip}) by
 BN1PEPF00004688.mail.protection.outlook.com (10.167.243.133) with Microsoft
 SMTP Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.8606.22 via Frontend Transport; {date}
`
)
