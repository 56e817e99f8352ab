package report

import "strings"

// What reports of abuse say, in lower case; parts of words, so that one stands
// for its inflected forms. The languages are those in which abuse desks are
// written to most.

// wrongs are what one is accused of, and feeds that tell of nothing else.
var wrongs = newLexicon(
	"abuse", "abusive", "spam", "phish", "malware", "malicious", "virus", "trojan", "ransomware", "botnet", "bot net", "infected", "infection", "compromised",
	"hacked", "hacking", "hack attempt", "defaced", "exploit", "vulnerab", "misconfigur", "exposed", "publicly accessible", "openly accessible", "security issue", "security incident",
	"open resolver", "open recursive", "open relay", "open proxy", "amplif", "attack", "brute force", "brute-force", "bruteforce", "intrusion", "unauthorized", "unauthorised",
	"port scan", "portscan", "ssh scan", "network scan", "probing", "login attempt", "ddos", "denial of service", "syn flood", "udp flood", "spoofed", "suspicious activity",
	"blacklist", "block list", "blocklist", "block-list", "honeypot", "honey pot", "copyright", "infring", "dmca", "take down", "takedown", "counterfeit", "trademark", "piracy", "bittorrent",
	"sinkhole", "command and control", "scam", "fraud", "harvesting", "harvester", "acceptable use", "illegal content", "terrorist", "child sexual", "csam",
	"safe browsing", "shadowserver", "uceprotect", "spamhaus", "dnsbl", "rogue", "impersonat", "credential theft", "stolen credential", "harmful", "unlicensed",
	"missbrauch", "betrug", "angriff", "schadsoftware", "schadcode", "schwachstelle", "sicherheitslücke", "sicherheitsvorfall", "urheberrecht", "gehackt", "kompromittiert", "infiziert", // German
	"hameçonnage", "attaque", "piraté", "droit d'auteur", "contrefaçon", "pourriel", "malveillant", "vulnérab", "compromis", "usage abusif", "escroquerie", // French
	"abuso", "ataque", "infracción", "derechos de autor", "comprometid", "malicios", "suplantación", "fraude", // Spanish
	"direitos autorais", "violação", "invadid", "invasão", "tentativas de acesso", "vulnerabilidade", // Portuguese
	"misbruik", "aanval", "kwetsba", "besmet", "gehackt", "inbreuk", "auteursrecht", // Dutch
	"attacco", "attacchi", "violazione", "compromess", "diritto d'autore", "diritti d'autore", // Italian
	"zneužit", "útok", "napaden", "zraniteln", "škodliv", "bezpečnostní incident", "autorsk", "podvod", // Czech
	"злоупотреблен", "атак", "взлом", "спам", "вредонос", "фишинг", "уязвим", "заражен", "авторск", "мошенн", // Russian
	"nadużyci", "naduzyci", "atak", "złośliw", "włamani", "podatnoś", "zainfekowan", "naruszeni", "praw autorskich", "wyłudz", "podszywa", "oszust", // Polish
)

// accusations are subjects that no other message of a program has.
var accusations = []string{
	"abuse report", "abuse complaint", "abuse notification", "abuse notice", "abuse message", "abuse from", "spam report", "spam complaint", "spam from", "complaint about", "incident report",
	"attack source", "attack from", "attacks from", "infringement", "notice of unauthorized use", "dmca notice", "dmca takedown", "takedown request", "takedown notice", "within your network", "on your network",
	"missbrauchsmeldung", "abuse-meldung", "urheberrechtsverletzung", "spam-beschwerde", "rapport d'abus", "signalement d'abus", "plainte pour", "reporte de abuso", "denuncia de abuso",
	"denúncia de abuso", "notificação de incidente", "notificación de incidente", "misbruikmelding", "segnalazione di abuso", "segnalazione abuso", "hlášení incidentu", "hlášení bezpečnostního",
	"жалоба на", "уведомление о нарушении", "zgłoszenie naruszenia", "zgłoszenie nadużycia",
}

// answers are how the subject of an answer begins.
var answers = []string{
	"re:", "re :", "aw:", "antw:", "sv:", "vs:", "odp:", "res:", "rép:", "rif:", "r:", "отв:", "ynt:", "resolved", "closed", "solved", "acknowledg", "confirmation", "thank", "autoreply", "auto reply", "auto-reply",
}

// sentOn are how the subject of what a person sends on begins.
var sentOn = []string{"fwd:", "fw:", "wg:", "tr:", "rv:", "enc:", "doorst:", "pd:", "i:"}

// excuses are what subjects say of a message that is no accusation: an answer to
// the reader's own report, praise, a list of messages for a mailbox's owner, the
// sender's own trouble.
var excuses = []string{
	"your abuse report", "your spam report", "your report", "your complaint", "your request", "your ticket", "your message", "your email", "your submission", "received:", "we received your", "have received your", "has been received",
	"your mail to", "your case", "ihre anfrage", "ihre meldung", "ihr ticket", "ticket eröffnet", "votre demande", "votre signalement", "su solicitud", "su reporte", "sua solicitação", "sua denúncia",
	"uw melding", "uw verzoek", "la sua richiesta", "la sua segnalazione", "vaše hlášení", "váš požadavek", "ваше обращение", "ваша заявка", "państwa zgłoszenie", "twoje zgłoszenie",
	"moderator", "moderation", "moderate", "quarantine", "quarantäne", "digest", "complaint summary", "complaint rate", "statistics",
	"delist", "removal request", "no longer listed", "has been removed", "was removed", "has been lifted", "recovery", "recovered",
	"investigating", "mitigated", "scheduled maintenance", "maintenance window", "cron <", "cron job", "anacron", "logwatch", "tls report", "dmarc", "wordfence", "ossec", // programs that watch the reader's own server
	"attack on your", "attack on ip", "attack against your", "attacks on your", "attack targeting", // the reader is the victim
	"abuse contact", "abuse-mailbox", "validat", // a registry asks whether the desk answers
}

// services are what subjects say of an account, of goods or of software; those
// of reports say it only where they quote.
var services = []string{
	"feedback loop", "feedback-loop", "enrol", "authorization request", "authorisation request", "approv", "verification", "verify your", "please confirm", "confirm your", "activation", "welcome", "subscription",
	"sign-in", "sign in", "signin", "new login", "new device", "your password", "password reset", "password change", "passwort", "security code", "invoice", "rechnung", "receipt", "your payment", "your order",
	"newsletter", "webinar", "whitepaper", "white paper", "how to", "protect your", "conference",
	"dependabot", "dependenc", "advisory", "security update", "pull request", "merge request", "pipeline",
}

// sums tell of many things, of none perhaps: what they sum must be named.
var sums = []string{"summary", "daily", "weekly", "monthly", "statistik"}

// disclaimers are what a text says that answers a report, or tells an account's
// owner of it.
var disclaimers = newLexicon(
	"received your report", "received your abuse", "received your complaint", "received your message", "received your mail", "received your e-mail", "received your email", "received your request", "received your submission",
	"thank you for contacting", "thanks for contacting", "thank you for reporting", "thanks for reporting", "thank you for your report", "thanks for your report", "thank you for your message", "thank you for your e-mail",
	"thank you for your email", "thank you for your submission", "thank you for submitting", "in response to the creation", "forwarded your", "regarding your report", "regarding your complaint", "your report has been", "your complaint has been", "your abuse report", "your request has been", "your mail has been", "your message has been", "your email has been", "your e-mail has been", "your ticket has been",
	"ihre meldung erhalten", "ihre nachricht erhalten", "ihre meldung ist", "bei uns eingegangen", "votre signalement", "su reporte ha sido", "sua denúncia", "uw melding", "vaše hlášení", "ваше обращение", "państwa zgłoszenie", "vielen dank für ihre meldung", "vielen dank für ihre nachricht", "vielen dank für ihre anfrage", "ihre anfrage", "bien reçu votre", "hemos recibido su", "recebemos sua", "recebemos a sua", "abbiamo ricevuto la",
	"wasn't you", "was not you", "wasn’t you", "if this was you", "don't recognize", "do not recognize", "don't recognise", "signed in to your", "has just been banned",
)

// settled is what a text says of a matter that is settled, and conditions make
// a wish of it.
var (
	settled    = newLexicon("has been resolved", "was resolved", "has been solved", "was solved", "was closed", "been closed", "is now closed", "no longer listed", "has been removed from", "been delisted")
	conditions = []string{"please", "once", "when", "if ", "until", "unless", "after", "as soon", "before", "not been"}
)

// harmless hides the words of wrongs that every other message has in its footer.
var harmless = strings.NewReplacer("abuse@", " @", "report abuse", " ", "abuse contact", " ", "abuse desk", " ", "abuse-mailbox", " ", "report spam", " ", "anti-spam", " ", "antispam", " ", "anti-virus", " ", "antivirus", " ", "virus-free", " ", "virus free", " ",
	"not spam", " ", "spam folder", " ", "spam filter", " ", "junk or spam", " ", "anti-abuse", " ", "spam score", " ", "all rights reserved", " ", "copyright ©", " ", "copyright (c)", " ", "© copyright", " ", "copyright 20", " ")

// yours are what of the reader's is spoken of, where a URL is named in passing.
var yours = newLexicon(
	"your network", "your ip", "your server", "your customer", "your client", "your host", "your infrastructure", "your domain", "your website", "your web site", "your site", "your service", "your user", "your control", "hosted by you", "you host", "you are hosting", "abuse team", "abuse department",
	"ihrem netz", "ihr netz", "ihre ip", "ihrer ip", "ihr server", "ihrem server", "ihren server", "ihr kunde", "ihres kunden", "ihre kunden", "ihre webs", "ihrer webs",
	"votre ", "vos ",
	"su red", "su servidor", "sus servidores", "su ip", "su cliente", "sus clientes", "su sitio", "su dirección ip",
	"sua rede", "seu servidor", "seus servidores", "seu ip", "seu cliente", "seus clientes", "seu site", "seu endereço ip",
	"uw netwerk", "uw server", "uw ip", "uw klant", "uw website",
	"vostra ", "vostro ", "vostri ", "vaší ", "vaši ", "vaše", "vašich", "ваш", "waszej", "wasz", "państwa",
)

// labels are what stands before a value that is accused.
var labels = []string{
	"url", "uri", "link", "site", "seite", "domain", "host", "page", "location", "source", "target", "address", "adresse", "adresa", "dirección", "endereço", "indirizzo", "адрес", "phish", "malware", "infring",
}

// automatic is what only a program's text says of itself.
var automatic = newLexicon(
	"automated message", "automated report", "automated notification", "automated notice", "automated alert", "automated email", "automated e-mail", "automated mail", "is automated",
	"automatically generated", "generated automatically", "automatically sent", "sent automatically", "autogenerated", "auto-generated", "please do not reply", "do not reply to this", "not reply directly",
	"automatisch generiert", "automatisch erstellt", "automatisch erzeugt", "automatisch versandt", "généré automatiquement", "envoyé automatiquement", "message automatique",
	"generado automáticamente", "enviado automáticamente", "mensaje automático", "gerado automaticamente", "gerada automaticamente", "enviado automaticamente", "mensagem automática",
	"automatisch gegenereerd", "automatisch verzonden", "generato automaticamente", "inviato automaticamente", "messaggio automatico", "automaticky generovan", "automaticky vygenerovan", "automaticky odeslan",
	"автоматически сформирован", "автоматически сгенерирован", "сформировано автоматически", "отправлено автоматически", "automatycznie wygenerowan", "wygenerowana automatycznie", "wygenerowany automatycznie",
	"notice id", "case id", "incident id", "infringement id", "report id", "case number", "incident number",
)

// envelopes are lines that look like data and are none of the report's: RT's,
// those of a signature and of whois.
var envelopes = []string{
	"transaction:", "queue:", "subject:", "owner:", "requestors:", "status:", "ticket ", "tel:", "phone:", "fax:", "mobile:", "mail:", "email:", "e-mail:", "web:", "www:", "http:", "https:",
	"inetnum:", "inet6num:", "netrange:", "cidr:", "route:", "route6:", "netname:",
}

// mailers are programs that write no person's message; see X-Mailer.
var mailers = []string{
	"phpmailer", "php/", "swiftmailer", "swift mailer", "mime::lite", "mail::", "email::", "python", "perl", "ruby", "java", "sendemail", "swaks", "mailutils", "mailx", "s-nail", "nodemailer",
	"secure mailer", "otrs", "whmcs", "znuny", "zammad", "request tracker", "abuse", "report",
}

// webmails are programs by which persons write; their scripts and Java leave
// the same marks.
var webmails = []string{"rcube", "roundcube", "webmail", "squirrelmail", "horde", ".javamail.zimbra"}

// reporters are how those call themselves who report for a living.
var reporters = []string{"abuse", "incident", "incydent", "phish", "antiphish", "malware", "botnet", "ddos", "takedown", "dmca", "copyright", "antipiracy", "blacklist", "blocklist", "dnsbl", "honeypot", "spamcop", "spamhaus", "shadowserver", "uceprotect"}

// tickets are how the header fields of ticket systems begin.
var tickets = []string{"x-rt-", "rt-originator", "x-otrs-", "x-zendesk-", "x-jira-", "x-freshdesk", "x-zammad", "x-redmine-", "x-osticket", "x-znuny", "x-helpscout"}
