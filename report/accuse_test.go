package report

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// freeform is a message of no format: its header but for MIME, its text, and why it
// is what it is.
type freeform struct {
	why  string
	head string
	text string
}

const table = "\n--b\nContent-Type: application/zip; name=2026-07-06-events.csv.zip\nContent-Transfer-Encoding: base64\n\nUEsDBAoAAAAAAA==\n--b--\n"

// attached gives a text and an attachment as the parts of a message.
func attached(text, rest string) string { return "--b\nContent-Type: text/plain\n\n" + text + rest }

// accusing are reports of abuse by programs: each is seen.
var accusing = map[string]freeform{
	"a copyright claim by a Java program": {"its Message-ID is a program's; the address is in the text",
		"From: rights_holder@rights.example.com\nSubject: 314-3001 Notice of Unauthorised Use of Films\nMessage-ID: <1.2.3.JavaMail.app@portal>",
		"-----BEGIN PGP SIGNED MESSAGE-----\n\nDear Sir or Madam:\n\nOur search has detected the use of works of our client on your network.\n\nInfringer's IP Address: 192.0.2.10\nProtocol: BitTorrent\nFile: film.mkv\n"},
	"a copyright claim in no program's header": {"signed, with a notice id and rows of data: nobody writes so by hand",
		"From: agent@rights.example.com\nSubject: Notice ID 4711",
		"-----BEGIN PGP SIGNED MESSAGE-----\n\nNotice ID: 4711\nNotice Date: 2026-07-06\n\nWe assert that your user infringes our copyright.\n\nTimestamp: 2026-07-05T10:00:00Z\nIP Address: 192.0.2.10\nPort: 6881\n"},
	"a takedown of URLs": {"the URLs stand below a label that says what they are",
		"From: dmca@rights.example.com\nSubject: DMCA removal, ref. 4711",
		"Dear abuse team,\n\nThe infringing material is at these URLs:\n\nhttps://shop.example.net/film.mkv\nhttps://shop.example.net/film2.mkv\n\nPlease remove it.\n"},
	"a counterfeit shop": {"a trademark's owner writes by a program, with labels",
		"From: enforcement@brand.example.com\nX-Mailer: PHPMailer 6.8\nSubject: Trademark enforcement case 4711",
		"Domain: https://cheap.example.net/\nRegistration: 4711\n\nThe site above sells counterfeit goods.\n"},
	"a list of sites as XML": {"the addresses are attributes; the subject names a feed of bad sites",
		"From: Safe Sites <noreply@search.example.com>\nSubject: Safe Browsing Report for AS64500",
		"<message asn=\"64500\" date=\"2026-07-06\">\n <url_info url=\"http://shop.example.net/\" ip=\"192.0.2.10\" />\n</message>\n"},
	"a honeypot's monitor": {"a sum, but it lists addresses of the network that did wrong",
		"From: Pot <monitor-bounce@pot.example.com>\nX-PHP-Originating-Script: 1002:email.php\nSubject: Honey Pot Monitor Report (06/01/2026 - 07/01/2026)",
		"IPs Monitored: 256\nMalicious IPs: 1\n\nIPs Engaged In Harvesting On Your Network:\n\n192.0.2.10\n"},
	"a scan's report, zipped": {"the text names nothing, the table does; the subject says whose feed it is",
		"From: autoreports@scans.example.com\nX-Mailer: PHPMailer 6.8\nSubject: [EXAMPLE] Shadowserver scan_ntp Report: 2026-07-06\nContent-Type: multipart/mixed; boundary=b",
		attached("The report can be had from https://dl.scans.example.com/x\n", table)},
	"an open service, through RT": {"the rows of a table are a program's, whoever the ticket's author is",
		"From: \"guard@leaks.example.com via RT\" <abuse@example.net>\nX-RT-Originator: guard@leaks.example.com\nSubject: [rt.example.net #10] [Leaks] Critical security issue for 192.0.2.10",
		"Mon Jul 06 10:00:00 2026: Request 10 was acted upon.\n Transaction: Ticket created by guard@leaks.example.com\n       Queue: abuse\n      Status: new\n Ticket <URL: https://rt.example.net/Ticket/Display.html?id=10 >\n\n| Severity | Critical |\n| Found | 06 Jul 26 |\n| Host | 192.0.2.10 |\n"},
	"a block list, through RT, in Czech": {"lines of CSV with the address, and the list's name in the subject",
		"From: \"help@dc.example.com via RT\" <abuse@example.net>\nX-RT-Originator: help@dc.example.com\nSubject: [rt.example.net #11] [DC help #7] UCEPROTECT Monitoring Report (192.0.2.10)",
		"Dobrý den,\nz Vaší IP adresy pravděpodobně probíhá spamming.\n\nIP,LAST IMPACT,GermanTime,earliest expiretime\n192.0.2.10,1783332000,06.07.2026 12:00 ,13.07.2026 12:00\n192.0.2.11,1783332000,06.07.2026 12:00 ,13.07.2026 12:00\n"},
	"an attack, through Jira": {"its subject accuses; a ticket system passes it on",
		"From: \"Watch (Jira)\" <jira@example.net>\nX-JIRA-FingerPrint: abc\nSubject: [JIRA] (ABUSE-12) Attacks from 192.0.2.10", "See attachment.\n"},
	"an attack, through Zendesk": {"the originator is not named; a program says that it is one",
		"From: Watch <support@example.net>\nX-Zendesk-From-Account-Id: 1\nSubject: [Request received by desk] Incident 4711",
		"This is an automatically generated report.\n\nHost 192.0.2.10 was seen in brute-force attempts.\n"},
	"fail2ban's complaint": {"fail2ban writes to the network's desk",
		"From: Fail2Ban <fail2ban@web.example.com>\nSubject: Abuse from 192.0.2.10",
		"Dear Sir/Madam,\n\nLines of the log are below.\n\nJul  6 10:00:00 web sshd[1]: Failed password for root from 192.0.2.10 port 22\n"},
	"a log-in attack": {"a role's address, a wrong and an address",
		"From: soc@shop.example.com\nSubject: 192.0.2.10", "We have seen repeated login attempts and port scans from 192.0.2.10 on 2026-07-06.\n"},
	"an attack with IPv6": {"an address of either kind",
		"From: noreply@ids.example.com\nSubject: Intrusion attempts", "Source: 2001:db8::10\nTarget: 198.51.100.1\n"},
	"an abused resolver": {"the usual words of an attacked network",
		"From: noc@games.example.com\nPrecedence: bulk\nSubject: Open recursive resolver used for an attack: 192.0.2.10", "You appear to be running an open recursive resolver at IP address 192.0.2.10.\n"},
	"a drone, by a national team": {"CERT's address; a list of addresses attached",
		"From: reports@cert.example.org\nSubject: [CERT-EX#4711] Infected systems in AS64500\nContent-Type: multipart/mixed; boundary=b",
		attached("Dear all,\n\nplease find a list of infected systems in your network attached.\n", "\n--b\nContent-Type: text/csv; name=x.csv\n\n\"ip\",\"time\"\n\"192.0.2.10\",\"2026-07-06\"\n--b--\n")},
	"a drone, signed": {"PGP/MIME around text and CSV",
		"From: report@sink.example.com\nSubject: Sinkhole events 2026-07-06\nContent-Type: multipart/signed; boundary=s; protocol=\"application/pgp-signature\"",
		"--s\nContent-Type: multipart/mixed; boundary=b\n\n" + attached("Botnet members called our sinkhole.\n", table) + "--s\nContent-Type: application/pgp-signature\n\nabc\n--s--\n"},
	"a table in the text": {"rows of CSV with addresses",
		"From: feed@drones.example.com\nAuto-Submitted: auto-generated\nSubject: Report for AS64500", "Botnet drones, last 24 hours\n\ntime,ip,port,family,asn\n2026-07-06,192.0.2.10,2005,worm,64500\n"},
	"phishing, defanged": {"nobody writes hxxp but to accuse",
		"From: reporting@phish.example.com\nSubject: Ref 4711", "We found phishing at hxxps://bank.shop[.]example[.]net/login\n"},
	"phishing, with a label": {"a URL of somebody else behind a label",
		"From: alerts@bank.example.com\nSubject: Phishing case 4711", "Phishing URL: https://shop.example.net/bank/login.php\nSeen: 2026-07-06\n"},
	"phishing, in prose": {"a URL in passing, but the text speaks of the reader's customer",
		"From: antiphishing@bank.example.com\nSubject: Request", "Your customer is hosting phishing at https://shop.example.net/bank. Please act.\n"},
	"malware in HTML alone": {"the cells of a table",
		"From: noreply@scan.example.com\nSubject: Alert\nContent-Type: text/html",
		"<html><head><style>td{color:red}</style></head><body><p>Malware was found on a host of yours</p><table><tr><td>IP</td><td>192.0.2.10</td></tr></table></body></html>"},
	"malware in HTML, text empty": {"a text part without anything in it",
		"From: noreply@scan.example.com\nSubject: Alert\nContent-Type: multipart/alternative; boundary=b",
		attached("\n", "\n--b\nContent-Type: text/html; charset=utf-8\n\n<div>Compromised server</div><div>IP&nbsp;address: <b>192.0.2.10</b></div>\n--b--\n")},
	"a compromised site, in base64": {"the text counts as it is decoded",
		"From: notices@hoster.example.com\nSubject: Case 4711\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64",
		base64.StdEncoding.EncodeToString([]byte("A compromised website was found on your server.\nIP: 192.0.2.10\n"))},
	"a compromised site, in quoted-printable": {"the same",
		"From: notices@hoster.example.com\nSubject: Case 4711\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", "The site was hack=\ned: 192=2E0=2E2=2E10\n"},
	"a site, named by its host": {"the subject names the wrong and a domain",
		"From: reports@sites.example.com\nSubject: Malware distribution on shop.example.net", "See https://sites.example.com/r/1\n"},
	"a block list's listing": {"the address is the reader's, what it did is on the list",
		"From: noreply@dnsbl.example.org\nSubject: 192.0.2.10 was added to our blocklist", "It sent mail to our traps.\n"},
	"a block list's monitor": {"whoever watches it: the address is accused",
		"From: alerts@tools.example.com\nSubject: Blacklist alert", "192.0.2.10 is now listed on: bl.example.org (blacklist)\n"},
	"a spam trap": {"mails to a trap, with their addresses",
		"From: spamtrap@traps.example.com\nSubject: Hits", "These addresses sent to our spam traps:\n192.0.2.10 (12 mails)\n"},
	"a source of spam": {"by subject, as before", "From: noreply@isp.example.com\nSubject: Spam complaint 4711", "See below.\n"},
	"a vulnerable service": {"a national team's usual notice",
		"From: CERT <noreply@cert.example.org>\nSubject: CVE-2026-0001: vulnerable mail servers in your network", "192.0.2.10:443\n"},
	"a first report that has been received": {"it is not the reader's own report that was received",
		"From: abuse@carrier.example.com\nSubject: We received a complaint about your server", "Botnet traffic was seen from 192.0.2.10.\n"},
	"an incident with an odd From": {"no role, no header; the text says that a program wrote it",
		"From: watcher@sensors.example.com\nSubject: Activity of 192.0.2.10", "This is an automated message.\n\n192.0.2.10 took part in a brute force attack.\n"},
	"to the desk's own list": {"abuse@ is a list: the fields of lists are its own",
		"From: reports@scan.example.com\nList-Id: Desk <abuse.example.net>\nList-Post: <mailto:abuse@example.net>\nPrecedence: list\nList-Unsubscribe: <mailto:x@example.net>\nSubject: [abuse] Host report", "Open resolver: 192.0.2.10\n"},
	"weekly, with addresses": {"a sum that names addresses accuses them",
		"From: reports@scan.example.com\nSubject: Weekly abuse summary for AS64500", "Spam sources:\n192.0.2.10\n"},
	"a fraud, numbered": {"no role, no header; only a program numbers its letters",
		"From: enforcement@brand.example.com\nSubject: URGENT: Fraudulent site, please shut down! [Bank 471112] IP: 192.0.2.10", "Dear Sir,\n\nplease close https://shop.example.net/bank, which is unauthorized.\n"},
	"an attack with a game": {"a mailbox named for what it reports",
		"From: Games <ddos-response@games.example.com>\nSubject: Compromised host used for an attack: 192.0.2.10", "A host of yours took part in an attack on us.\n"},
	"a desk passes one on": {"a hoster's ticket system writes to its customer",
		"From: support@hoster.example.com\nX-Mailer: OTRS Mail Service (6.0)\nSubject: [Ticket#2026070610000123] Abuse: 192.0.2.10", "Dear customer,\n\nwe have received an abuse report on your server. Please answer once the issue has been resolved.\n\n-----Original Message-----\nPort scan\n"},
	"SpamCop's sum": {"a sum with addresses",
		"From: summaries@admin.spamcop.example.net\nPrecedence: list\nSubject: [SpamCop] summary report", "IP_Address    Start    Trap  User  Mole\n192.0.2.10    Jul  6    1     0     0\n"},
	"a block list's case": {"its domain says what it is",
		"From: sbl@spamhaus.example.org\nSubject: SBL471 192.0.2.0/24", "192.0.2.0/24 is listed on the SBL for spam.\n"},
	"a leak": {"an open service is a wrong too",
		"From: noreply@cert.example.org\nSubject: Exposed database server", "Address: 192.0.2.10\nPort: 27017\n"},
	"a table alone": {"the mail is the table",
		"From: reports@scan.example.com\nSubject: scan\nContent-Type: text/csv", "\"time\",\"ip\",\"tag\"\n\"2026-07-06\",\"192.0.2.10\",\"openresolver,vulnerable\"\n"},
	"JSON": {"fields of data in another form",
		"From: noreply@scan.example.com\nSubject: Event\nContent-Type: text/plain", "{\"category\": \"attack\",\n \"source\": {\"ip\": \"192.0.2.10\"}}\n"},
	"a phish, quoted": {"the words of the phish stand in the subject",
		"From: reports@bank.example.com\nSubject: Abuse report: \"Please confirm your password, verification\"", "Seen today.\n"},
	"an address above the wrong": {"fields of data in any order",
		"From: noreply@ids.example.com\nSubject: Event 12", "IP: 192.0.2.10\nTime: 10:00\nType: botnet\n"},
	"URLs below their label": {"a list of URLs that a label introduces",
		"From: dmca@rights.example.com\nSubject: Notice", "Hello,\n\nthe infringing URLs are:\nhttps://shop.example.net/film.mkv\n"},
	"the reader's own server": {"a wrong, and something of the reader's, in the subject",
		"From: notice@hoster.example.com\nSubject: Malware on your server", "Log in to see more.\n"},
	"a program of Microsoft's": {"only programs ask for no automatic answers",
		"From: info@hoster.example.com\nX-Auto-Response-Suppress: All\nSubject: Server 7", "Phishing runs on 192.0.2.10\n"},
	"a reminder": {"it answers a mail of the sender's own",
		"From: noreply@scan.example.com\nIn-Reply-To: <1@mail.example.com>\nSubject: Reminder", "Phishing runs on 192.0.2.10\n"},
	"by a service that mails for many": {"such services add List-Unsubscribe to all; the subject says enough",
		"From: noreply@scan.example.com\nList-Unsubscribe: <https://mail.example.net/u>\nSubject: Abuse report 4711", "Phishing runs on 192.0.2.10\n"},
	"an app": {"the URL stands in the subject",
		"From: Team <team@brand.example.com>\nAuto-Submitted: auto-generated\nSubject: Rogue app at http://apps.example.net/bank.apk", "Please remove it.\n"},
	"a site in prose": {"the word before a domain says what it is",
		"From: notify@hoster.example.com\nSubject: Infected content in your account", "The site example.net was found to serve harmful scripts.\n"},
	"a list by a national team": {"no role, but a tag's number, and the domain of reports",
		"From: team@reports.certs.example.org\nSubject: [Report#20260706-10001] Open services in AS64500", "The systems below are abused for DDoS attacks.\n\nFormat: ASN | IP | Timestamp (UTC)\n 64500 | 192.0.2.10 | 2026-07-05 10:00:00\n"},
	"a hoster's ticket": {"a tag's number; no ticket system of the reader's",
		"From: isp@upstream.example.com\nSubject: [Ticket ID: 471112] Abuse - 192.0.2.10", "Hello,\n\nwe received this about your service.\n"},
	"a table and a text in Czech": {"the text names a wrong, the table is attached",
		"From: csirt@csirt.example.cz\nSubject: [CSIRT #471] souhrn\nContent-Type: multipart/mixed; boundary=b", attached("Dobrý den, v příloze zasíláme přehled napadených adres.\n", table)},
	"phishing in Russian": {"the site is on the reader's server",
		"From: cert@cert.example.ru\nSubject: N 1", "На ресурсе http://example.net/a размещено вредоносное ПО. Он на ваших серверах.\n"},
	"phishing in Polish, defanged": {"a URL that nobody can click on", "From: incydent@certy.example.pl\nSubject: N 1", "Pod adresem hxxp://example.net/bank jest strona wyłudzająca dane.\n"},
	"a rogue shop in German":       {"the word before a domain says what it is", "From: cyber@polizei.example.de\nX-Mailer: PHPMailer\nSubject: Betrug", "Die Webseite www.example.net dient dem Betrug.\n"},
	"in German":                    {"its language says plainly what happened", "From: noreply@zentrale.example.de\nSubject: =?utf-8?q?Hinweis_auf_Schadsoftware?=", "Sehr geehrte Damen und Herren,\n\nvon Ihrem Server 192.0.2.10 gehen Angriffe aus.\n"},
	"in German, infected":          {"its language says plainly what happened", "From: reports@reports.cert.example.de\nSubject: Infizierte Systeme in Ihrem Netz", "Format: ASN | IP | Zeit\n64500 | 192.0.2.10 | 2026-07-06 10:00:00\n"},
	"in French":                    {"its language says plainly what happened", "From: notification@cert.example.fr\nSubject: Signalement 4711", "Bonjour,\n\nUn site d'hameçonnage est hébergé à l'adresse suivante :\nhxxp://boutique.example.net/banque\n"},
	"in Spanish":                   {"its language says plainly what happened", "From: incidentes@csirt.example.es\nSubject: Aviso 4711", "Estimados señores,\n\nhemos detectado ataques desde la dirección IP 192.0.2.10.\n"},
	"in Portuguese":                {"its language says plainly what happened", "From: noreply@csirt.example.br\nSubject: Aviso 4711", "Prezados,\n\nO servidor 192.0.2.10 foi comprometido e participa de ataques.\n"},
	"in Dutch":                     {"its language says plainly what happened", "From: noreply@meldpunt.example.nl\nSubject: Melding 4711", "Geachte,\n\nOp uw server staat een besmet bestand.\nIP: 192.0.2.10\n"},
	"in Italian":                   {"its language says plainly what happened", "From: noreply@csirt.example.it\nSubject: Segnalazione 4711", "Gentili,\n\nrileviamo un attacco dall'indirizzo 192.0.2.10.\n"},
	"in Czech":                     {"its language says plainly what happened", "From: incident@csirt.example.cz\nSubject: Upozornění", "Dobrý den,\n\nz vaší IP adresy 192.0.2.10 byly zaznamenány útoky.\n"},
	"in Russian, raw":              {"its language says plainly what happened", "From: noreply@cert.example.ru\nSubject: =?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte("Жалоба на вредоносную активность")) + "?=", "С вашего сервера 192.0.2.10 зафиксированы атаки.\n"},
	"in Polish":                    {"its language says plainly what happened", "From: noreply@cert.example.pl\nSubject: Powiadomienie", "Szanowni Państwo,\n\nz adresu 192.0.2.10 wykryto próby włamania i złośliwe oprogramowanie.\n"},
}

// innocent are messages that say something else, or are by persons, and are of the
// kind that stands first.
var innocent = map[Kind]map[string]freeform{
	KindOther: {
		"a person's complaint":         {"a person is no reporter", "From: jo@example.com\nSubject: Spam from 192.0.2.10", "I get spam from your server 192.0.2.10, please stop it.\n"},
		"a person's, with the header":  {"pasted fields are no rows of data", "From: jo@example.com\nSubject: spam", "Please stop this spam.\n\nReceived: from x (x [192.0.2.10])\n by mx.example.com; Mon, 6 Jul 2026 10:00:00 +0000\nReceived-SPF: pass\n client-ip=192.0.2.10\n helo=x\n envelope-from=a\nFrom: a@example.net\nSubject: Buy\nX-Originating-IP: [192.0.2.10]\n"},
		"a person's, with the log":     {"lines of a log are no rows of data", "From: jo@example.com\nSubject: attack", "You attack me:\n\nJul  6 10:00:00 web sshd[1]: Failed password for root from 192.0.2.10 port 22 ssh2\nJul  6 10:00:01 web sshd[1]: Failed password for root from 192.0.2.10 port 22 ssh2\nJul  6 10:00:02 web sshd[1]: Failed password for root from 192.0.2.10 port 22 ssh2\n192.0.2.10 - - [06/Jul/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"Mozilla/5.0 (X11; Linux; rv:1)\"\n"},
		"a person's, with whois":       {"what a registry says is no accusation", "From: jo@example.com\nSubject: spam", "Your host spams me.\n\ninetnum: 192.0.2.0 - 192.0.2.255\nnetname: EXAMPLE\norg: Example\ncountry: ZZ\nsource: RIPE\n"},
		"a person's, with a signature": {"a signature's lines are no rows of data", "From: jo@example.com\nSubject: phishing", "I got phishing from 192.0.2.10.\n-- \nJo\nTel: 1\nFax: 2\nWeb: https://example.com\nSkype: jo\n"},
		"a person's, by Zimbra":        {"webmail writes JavaMail's ids too", "From: jo@example.com\nMessage-ID: <1.2.JavaMail.zimbra@example.com>\nSubject: spam", "Spam from 192.0.2.10\n"},
		"a person's, by Roundcube":     {"webmail is a PHP script", "From: jo@example.com\nX-PHP-Originating-Script: 0:rcube.php\nSubject: spam", "Spam from 192.0.2.10\n"},
		"a person who sends one on":    {"a person sends on what a program wrote", "From: jo@example.com\nSubject: Fwd: Report 4711", "What is this?\n\nThis is an automated report.\nIP: 192.0.2.10\nType: botnet\nTime: 2026-07-06\n"},
		"a person who quotes one":      {"an answer", "From: jo@example.com\nSubject: Re: Report 4711", "We have closed it.\n\n> This is an automated report.\n> IP: 192.0.2.10\n> Type: botnet\n"},
		"a list about abuse":           {"what is said to a list accuses no reader", "From: Jo via anti-abuse <anti-abuse@lists.example.org>\nList-Id: <anti-abuse.lists.example.org>\nList-Post: <mailto:anti-abuse@lists.example.org>\nPrecedence: list\nSubject: [anti-abuse] Spam from 192.0.2.0/24", "Does anybody else see spam from 192.0.2.10?\n"},
		"a list's announcement":        {"to everybody", "From: security@dist.example.org\nList-Id: <announce.dist.example.org>\nList-Post: <mailto:x@dist.example.org>\nPrecedence: list\nSubject: [DSA 1] exim vulnerability", "A vulnerability was found: https://cve.example.com/1\n"},
		"a newsletter about phishing":  {"to everybody, about nobody", "From: news@vendor.example.com\nList-Unsubscribe: <https://vendor.example.com/u>\nSubject: Phishing attacks are on the rise", "Malware hits your network from 192.0.2.10: https://link.example.net/a\n"},
		"a person's, about automata":   {"persons speak of what is automatic too", "From: jo@example.com\nSubject: spam", "Your automated systems send spam automatically from 192.0.2.10, and you do not reply.\n"},
		"a person's, with one field":   {"persons name an address so too", "From: jo@example.com\nSubject: spam", "Please stop the spam.\nIP: 192.0.2.10\n"},
		"a person's, who quotes ARF":   {"a question about a report", "From: jo@example.com\nSubject: What is this abuse?", "We got this:\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nSource-IP: 192.0.2.10\n\nWhat is it?\n"},
		"a request for a quote":        {"no wrong", "From: jo@example.com\nSubject: 192.0.2.10", "How much is a server like 192.0.2.10?\n"},
	},
	KindNotice: {
		"a person, through RT":                       {"a ticket system passes on persons too", "From: \"jo@example.com via RT\" <abuse@example.net>\nX-RT-Originator: jo@example.com\nPrecedence: bulk\nSubject: [rt.example.net #12] please help", "Mon Jul 06 10:00:00 2026: Request 12 was acted upon.\n Transaction: Ticket created by jo@example.com\n       Queue: abuse\n     Subject: please help\n       Owner: Nobody\n  Requestors: jo@example.com\n      Status: new\n Ticket <URL: https://rt.example.net/Ticket/Display.html?id=12 >\n\nI get spam from your server 192.0.2.10, please stop it.\n"},
		"a ticket was opened":                        {"it answers the reader's report", "From: abuse@example.net\nSubject: [example.net #4711] AutoReply: Spam from 192.0.2.10", "This message has been automatically generated in response to the creation of a trouble ticket.\n"},
		"a ticket was opened, in prose":              {"the text says so", "From: noreply@example.net\nSubject: Ticket 4711: spam, 192.0.2.10", "Thank you for contacting our abuse desk.\n\nYou wrote: spam from 192.0.2.10\n"},
		"a report was received":                      {"the subject says so", "From: noreply@example.net\nSubject: We received your abuse report about 192.0.2.10", "Spam from 192.0.2.10\n"},
		"a ticket was opened, in German":             {"the text says so", "From: noreply@example.de\nSubject: Ticket 4711 Spam", "Vielen Dank für Ihre Meldung zu Spam von 192.0.2.10.\n"},
		"a case was closed":                          {"the subject or the text says so", "From: abuse@example.net\nSubject: Case 4711 (phishing on 192.0.2.10)", "The phishing at 192.0.2.10 has been resolved.\n"},
		"a case was closed, by subject":              {"the subject or the text says so", "From: abuse@example.net\nSubject: [#4711] Closed: attack from 192.0.2.10", "Attack from 192.0.2.10\n"},
		"a desk's answer":                            {"the subject or the text says so", "From: abuse@example.net\nIn-Reply-To: <1@example.com>\nSubject: RE: Abuse from 192.0.2.10", "The attack from 192.0.2.10 was a customer's.\n"},
		"a desk's answer, renamed":                   {"it answers a mail; its subject accuses nobody", "From: abuse@example.net\nIn-Reply-To: <1@example.com>\nSubject: Ticket 4711", "The spam from 192.0.2.10 was a customer's.\n"},
		"a desk's answer, its subject kept":          {"it answers a mail of somebody else's", "From: abuse@example.net\nIn-Reply-To: <1@example.com>\nSubject: [#4711] Abuse from 192.0.2.10", "Attacks from 192.0.2.10 have stopped.\n"},
		"a quarantine's digest":                      {"for a mailbox's owner", "From: noreply@filter.example.com\nSubject: Quarantine: 3 new spam mails", "Spam from 192.0.2.10: Buy now\n"},
		"a daily digest":                             {"for a mailbox's owner", "From: noreply@filter.example.com\nSubject: Daily spam report", "3 mails.\n"},
		"a moderator's request":                      {"the subject or the text says so", "From: noreply@lists.example.com\nSubject: 3 moderator requests waiting: spam?", "From 192.0.2.10\n"},
		"SNDS's request":                             {"enrolment", "From: SNDS <snds@mail.example.com>\nSubject: SNDS authorization request for 192.0.2.0/24", "See mails to spam traps for IP: 192.0.2.0/24.\n"},
		"SNDS's approval":                            {"enrolment", "From: SNDS <snds@mail.example.com>\nSubject: Access approved", "You see spam data of 192.0.2.0/24 now.\n"},
		"a loop's enrolment":                         {"enrolment", "From: fbl@example.com\nSubject: Your enrolment in the feedback loop", "You get spam reports for 192.0.2.10 from now on.\n"},
		"a loop's sum":                               {"rates, no accusation", "From: noreply@fbl.example.com\nSubject: Complaint rate of 192.0.2.10", "Spam complaints: 0.1 %\n"},
		"a postmaster site's account":                {"the subject or the text says so", "From: noreply@postmaster.example.com\nSubject: Domain verification", "example.net was verified; see its spam rate.\n"},
		"a log-in":                                   {"tells an account's owner", "From: no-reply@accounts.example.com\nSubject: New sign-in from 192.0.2.10", "IP address: 192.0.2.10\nIf this was not you, your account may be compromised.\n"},
		"a log-in, in the text":                      {"tells an account's owner", "From: no-reply@accounts.example.com\nSubject: Security alert", "Somebody with IP address 192.0.2.10 used your account. If it wasn't you, it may be compromised.\n"},
		"a registry's question":                      {"whether the desk answers", "From: noreply@registry.example.org\nSubject: Please validate your abuse contact for 192.0.2.0/24", "Abuse contact: abuse@example.net\nNetwork: 192.0.2.0/24\n"},
		"the reader is attacked":                     {"whom it tells is the victim", "From: noreply@hoster.example.com\nSubject: Detection of an attack on IP address 192.0.2.10", "DDoS protection was switched on.\n"},
		"a report is passed on":                      {"it answers the reader's report", "From: abuse@example.net\nSubject: Case 471112", "Hello,\n\nwe have forwarded your complaint about the attacks from 192.0.2.10 to our customer.\n"},
		"SpamCop is ready":                           {"it asks its user to go on; the link is its own", "From: spamcop@spamcop.example.net\nSubject: [SpamCop] has accepted 1 email for processing", "Finish spam reporting: https://www.spamcop.example.net/sc?id=1\n"},
		"a breach":                                   {"nobody's address or site", "From: noreply@breaches.example.com\nSubject: Your address was in a breach", "Your address jo@example.net was compromised. See https://breaches.example.com/1\n"},
		"a removal was asked for":                    {"the subject or the text says so", "From: noreply@dnsbl.example.org\nSubject: Removal request for 192.0.2.10", "Blocklist removal of 192.0.2.10.\n"},
		"a sum of mails":                             {"sums only count", "From: noreply@filter.example.com\nSubject: Weekly spam summary\nContent-Type: multipart/mixed; boundary=b", attached("12 mails.\n", table)},
		"a newsletter by a program":                  {"to everybody, about nobody", "From: noreply@vendor.example.com\nList-Unsubscribe: <https://vendor.example.com/u>\nSubject: Phishing attacks are on the rise", "Malware hits your network from 192.0.2.10\n"},
		"a newsletter that asks":                     {"your server is everybody's", "From: noreply@vendor.example.com\nList-Unsubscribe: <https://vendor.example.com/u>\nSubject: Is there malware on your server?", "Find out.\n"},
		"a ticket was opened, in German, by subject": {"it answers the reader's report", "From: noreply@example.de\nSubject: Ihre Anfrage zu Spam von 192.0.2.10", "Danke.\n"},
		"a mail has arrived":                         {"it answers the reader's mail", "From: abuse@example.net\nSubject: Ticket 4711", "Your mail has been received. Attacks from 192.0.2.10 will be looked into.\n"},
		"how a case goes on":                         {"it answers the reader's report", "From: no-reply@example.net\nSubject: Update on your case 4711", "The customer behind 192.0.2.10 removed the malware.\n"},
		"a survey":                                   {"it answers the reader's report", "From: noreply@survey.example.com\nSubject: How did we do?", "Your ticket on malware (192.0.2.10) was solved.\n"},
		"cron's younger brother":                     {"the server's own admin", "From: root@web.example.net\nSubject: Anacron job 'cron.daily' on web", "192.0.2.10: possible attack\n"},
		"a loop's application":                       {"enrolment", "From: noreply@loops.example.com\nSubject: Feedback loop application", "You will receive abuse reports for 192.0.2.0/24.\n"},
		"a comment to moderate":                      {"the reader's own site", "From: no-reply@blog.example.net\nSubject: [Blog] Please moderate: \"DDoS\"", "Author: x (IP address: 192.0.2.10)\nComment: spam\n"},
		"a domain expires":                           {"no wrong", "From: noreply@registrar.example.com\nSubject: Domain example.net expires", "Renew it.\n"},
		"Wordfence":                                  {"the server's own admin", "From: wordpress@shop.example.net\nX-Mailer: PHPMailer 6.8\nSubject: [Wordfence Alert] Attacks on shop.example.net", "Blocked attack of 192.0.2.10\n"},
		"a desk's answer that quotes":                {"what is quoted somebody else said", "From: abuse@example.net\nSubject: Ticket 4711", "It was a customer's.\n\n> Attack from 192.0.2.10\n"},
		"an invitation":                              {"the sender's own domain is nobody's fault", "From: noreply@vendor.example.com\nSubject: Phishing training at vendor.example.com", "On Monday.\n"},
		"a warning to a mailbox":                     {"an address of a person is no host", "From: noreply@bank.example.com\nSubject: Fraud warning for jo@example.net", "Beware of letters.\n"},
		"a password":                                 {"tells an account's owner", "From: no-reply@accounts.example.com\nSubject: Your password was changed", "From 192.0.2.10. Unauthorized? Write to us.\n"},
		"a dependency":                               {"about code", "From: notifications@forge.example.com\nSubject: [jo/app] Dependabot alert: vulnerability in left.pad", "Known vulnerability: https://cve.example.org/1\n"},
		"an advisory":                                {"about software; its links are in passing", "From: noreply@forge.example.com\nSubject: [jo/app] Vulnerability found", "A vulnerability was found in a library, see https://cve.example.org/1 and https://forge.example.com/1\n"},
		"Nagios":                                     {"no wrong", "From: nagios@mon.example.net\nAuto-Submitted: auto-generated\nSubject: ** PROBLEM Host Alert: web is DOWN **", "Host: web\nAddress: 192.0.2.10\nState: DOWN\nInfo: CRITICAL - Host Unreachable\n"},
		"an uptime check":                            {"no wrong", "From: alert@uptime.example.com\nSubject: shop.example.net is down", "URL: https://shop.example.net\nReason: timeout\n"},
		"cron":                                       {"the server's own admin", "From: root@web.example.net (Cron Daemon)\nAuto-Submitted: auto-generated\nSubject: Cron <root@web> /usr/local/bin/update-blocklist", "blocklist: 192.0.2.10 added\n"},
		"logwatch":                                   {"the server's own admin", "From: logwatch@web.example.net\nPrecedence: bulk\nSubject: Logwatch for web (Linux)", "Failed logins from:\n   192.0.2.10: 20 times\nPossible attack\n"},
		"fail2ban's own":                             {"the server's own admin", "From: Fail2Ban <fail2ban@web.example.net>\nSubject: [Fail2Ban] sshd: banned 192.0.2.10 from web", "The IP 192.0.2.10 has just been banned after 5 attacks.\n"},
		"an invoice":                                 {"no wrong", "From: billing@hoster.example.com\nX-Mailer: PHPMailer 6.8\nSubject: Invoice 4711", "Server 192.0.2.10: 10.00\nDDoS protection: 1.00\n"},
		"a server is ready":                          {"a wrong in the footer, far below the address", "From: noreply@hoster.example.com\nSubject: Your server", "IP: 192.0.2.10\nUser: root\n\nHave fun.\n\nOur terms\n1\n2\n3\n4\n5\n6\n7\nSpam and attacks are forbidden.\n"},
		"a status page":                              {"the reporter's own trouble", "From: noreply@status.example.com\nSubject: Investigating: DDoS attack on api.example.com", "We are under attack at 192.0.2.10.\n"},
		"a status page, in the text":                 {"nobody is named", "From: noreply@status.example.com\nSubject: Incident", "A DDoS attack hits our network. See https://status.example.com/1\n"},
		"a delisting":                                {"praise", "From: noreply@dnsbl.example.org\nSubject: 192.0.2.10 was removed from our blocklist", "Spam has stopped.\n"},
		"a delisting, in the text":                   {"praise", "From: noreply@dnsbl.example.org\nSubject: Blocklist", "192.0.2.10 is no longer listed.\n"},
		"a sum of nothing":                           {"no address is named", "From: monitor@pot.example.com\nSubject: Honey Pot Monitor Report", "Malicious IPs: 0\n\nIPs Engaged In Spamming On Your Network:\n\nnone\n"},
		"marketing":                                  {"no address is named but the sender's own", "From: noreply@vendor.example.com\nSubject: Free scan", "Is your server compromised? Find out: https://www.vendor.example.com/scan\n"},
		"marketing, by its subject":                  {"known before its words are looked at", "From: noreply@vendor.example.com\nSubject: Protect your network against 192.0.2.10", "Malware comes from 192.0.2.10\n"},
		"a footer":                                   {"the words of every footer accuse nobody", "From: noreply@shop.example.com\nSubject: Shipped", "Track at https://track.example.net/1 from IP 192.0.2.10\nTo report abuse write to abuse@shop.example.com. Copyright 2026 Shop.\n"},
	},
	KindAutoReply: {
		"an absence":   {"known before its words are looked at", "From: abuse@example.net\nAuto-Submitted: auto-replied\nSubject: Abuse from 192.0.2.10", "Attack from 192.0.2.10? I am away.\n"},
		"an automatic": {"known before its words are looked at", "From: jo@example.com\nSubject: Automatic reply: Abuse from 192.0.2.10", "I am away.\n"},
	},
	KindDSN: {
		"a refusal":       {"known before its words are looked at", "From: MAILER-DAEMON@example.com\nSubject: Undelivered Mail Returned to Sender", "550 192.0.2.10 is on a blocklist for spam\n"},
		"a refusal, late": {"known before its words are looked at", "From: postmaster@example.com\nSubject: Mail delivery failed: returning message", "550 blocked: spam from 192.0.2.10\n"},
	},
	KindMDN: {
		"a receipt": {"known before its words are looked at", "From: abuse@example.net\nSubject: Read: Abuse from 192.0.2.10\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b", attached("Read.\n", "\n--b\nContent-Type: message/disposition-notification\n\nDisposition: x\n--b--\n")},
	},
	KindUnsubscribe: {
		"an unsubscribe mail": {"known before its words are looked at", "From: jo@example.com\nTo: unsubscribe@news.example.net\nSubject: spam", "Spam from 192.0.2.10\n"},
	},
	KindTLSRPT: {
		"a TLS report": {"known before its words are looked at", "From: noreply@example.com\nSubject: Report Domain\nContent-Type: multipart/mixed; boundary=b", attached("attack\n", "\n--b\nContent-Type: application/tlsrpt+gzip; name=x.json.gz\n\nx\n--b--\n")},
	},
	KindDMARCAggregate: {
		"an aggregate": {"known before its words are looked at", "From: noreply@example.com\nSubject: Report domain: example.net Submitter: example.com\nContent-Type: multipart/mixed; boundary=b", attached("spam 192.0.2.10\n", table)},
	},
}

func (f freeform) message() []byte {
	return []byte(f.head + "\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nTo: abuse@example.net\n\n" + f.text)
}

// check reads a message as a whole and in pieces, with either line ending.
func (f freeform) check(t *testing.T, want Kind) *Report {
	t.Helper()
	message := f.message()
	if strings.Contains(f.head, "\nTo: ") {
		message = []byte(strings.Replace(string(message), "\nTo: abuse@example.net", "", 1))
	}
	r := Parse(message)
	if r.Kind != want {
		t.Errorf("%s, want %s: %s", r.Kind, want, f.why)
	}
	crlf := []byte(strings.ReplaceAll(string(message), "\n", "\r\n"))
	for _, first := range []int{0, 200, 700} {
		if part, _ := fetch(t, message, first); part.Kind != r.Kind {
			t.Errorf("%s of a part, %s of the whole", part.Kind, r.Kind)
		}
		if part, _ := fetch(t, crlf, first); part.Kind != r.Kind {
			t.Errorf("%s of a part with CRLF, %s of the whole", part.Kind, r.Kind)
		}
	}
	return r
}

// TestAccusing: a program's report in words is seen, and only seen: no value is
// taken from it.
func TestAccusing(t *testing.T) {
	for name, f := range accusing {
		t.Run(name, func(t *testing.T) {
			records := f.check(t, KindUnparsed).Records(Envelope{})
			if len(records) != 1 {
				t.Fatalf("%d records", len(records))
			}
			rec := records[0]
			if rec.Event != Unparsed || rec.Class != ClassNetwork || rec.Suppress.Verdict != "no" || rec.Parse.Status != "failed" || !slices.Contains(rec.Parse.Warnings, "text: accuses in words of its own") {
				t.Errorf("%s %s %+v %+v", rec.Event, rec.Class, rec.Suppress, rec.Parse)
			}
			if rec.SourceIP != "" || len(rec.ReportedURI) > 0 || rec.OriginalRcptTo != "" {
				t.Errorf("a value was guessed: %+v", rec)
			}
		})
	}
}

// TestTableBehind: data that are attached far behind the start of a message are
// seen, in whichever multipart they are.
func TestTableBehind(t *testing.T) {
	long := strings.Repeat("Nothing to see here, please go on.\n", 300)
	for _, subtype := range []string{"mixed", "alternative", "related"} {
		f := freeform{"the subject names a wrong", "From: noreply@scan.example.com\nSubject: Malware\nContent-Type: multipart/" + subtype + "; boundary=b", attached(long, table)}
		f.check(t, KindUnparsed)
	}
}

// TestInnocent: what answers, sums up nothing, tells an account's owner, or is by
// a person makes no record.
func TestInnocent(t *testing.T) {
	for kind, messages := range innocent {
		for name, f := range messages {
			t.Run(string(kind)+"/"+name, func(t *testing.T) { f.check(t, kind) })
		}
	}
}
