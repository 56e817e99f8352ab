package report

import "strings"

// meaning is what a phrase says of a message without a format; see accuses.
type meaning int

const (
	saysWrong      meaning = iota // what one is accused of, and feeds that say nothing else
	saysAccusation                // of a subject: no other message of a program has it
	saysExcuse                    // of a subject that answers, or says that nobody is accused
	saysService                   // of a subject about an account, goods or software; an accusation only quotes it
	saysSum                       // of a subject that sums up many things, perhaps none
	saysDisclaimer                // of a text that answers a report, or tells an account's owner of a sign-in
	saysSettled                   // a matter is closed
	saysCondition                 // but only once that is done
	saysYours                     // something of the reader's
	saysLabel                     // marks a host or a URL as the thing that is accused
	saysAutomatic                 // only a program says so of its own text
	saysMailer                    // of X-Mailer: a program that writes no person's message
	saysWebmail                   // but persons write by these, whose scripts and Java leave the same marks
	saysReporter                  // of an address: how those call themselves who report for a living
	meanings
)

// phrases are the words by which messages are read, in lower case, by comma. They are
// parts of words: one stands for its inflected forms. The languages are those in which
// abuse desks are written to most.
var phrases = []struct {
	meaning meaning
	words   string
}{
	// wrong: en
	{saysWrong, "abuse, abusive, spam, phish, scam, fraud, malware, malicious, virus, trojan, ransomware, botnet, infect, compromised, hacked, hacking, hack attempt"},
	{saysWrong, "defaced, exploit, vulnerab, misconfigur, exposed, ly accessible, security issue, security incident, open resolver, open recursive, open relay"},
	{saysWrong, "open proxy, amplif, attack, brute force, brute-force, bruteforce, intrusion, unauthori, port scan, portscan, ssh scan, network scan, probing"},
	{saysWrong, "login attempt, ddos, denial of service, flood, spoofed, suspicious activity, blacklist, block list, blocklist, block-list, honeypot, honey pot, sinkhole"},
	{saysWrong, "command and control, copyright, infring, dmca, take down, takedown, counterfeit, trademark, piracy, bittorrent, harvest, acceptable use, illegal content"},
	{saysWrong, "terrorist, child sexual, csam, safe browsing, shadowserver, uceprotect, dnsbl, rogue, impersonat, credential theft, stolen credential, harmful"},
	{saysWrong, "unlicensed"},
	// wrong: de
	{saysWrong, "missbrauch, betrug, angriff, schadsoftware, schadcode, schwachstelle, sicherheitslücke, sicherheitsvorfall, urheberrecht, gehackt, kompromittiert"},
	{saysWrong, "infiziert"},
	// wrong: fr
	{saysWrong, "hameçonnage, attaque, piraté, droit d'auteur, contrefaçon, pourriel, malveillant, vulnérab, compromis, usage abusif, escroquerie"},
	// wrong: es, pt
	{saysWrong, "abuso, ataque, infracción, derechos de autor, comprometid, malicios, suplantación, direitos autorais, violação, invadid, invasão, tentativas de acesso"},
	// wrong: nl
	{saysWrong, "misbruik, aanval, kwetsba, besmet, inbreuk, auteursrecht"},
	// wrong: it
	{saysWrong, "attacco, attacchi, violazione, compromess, diritto d'autore, diritti d'autore"},
	// wrong: cs
	{saysWrong, "zneužit, útok, napaden, zraniteln, škodliv, bezpečnostní incident, autorsk, podvod"},
	// wrong: ru
	{saysWrong, "злоупотреблен, атак, взлом, спам, вредонос, фишинг, уязвим, заражен, авторск, мошенн"},
	// wrong: pl
	{saysWrong, "nadużyci, naduzyci, atak, złośliw, włamani, podatnoś, zainfekowan, naruszeni, wyłudz, podszywa, oszust"},
	// accusation: en
	{saysAccusation, "abuse report, abuse complaint, abuse notification, abuse notice, abuse message, abuse from, spam report, spam complaint, spam from, complaint about"},
	{saysAccusation, "incident report, attack source, attack from, attacks from, infringement, notice of unauthorized use, dmca notice, dmca takedown, takedown request"},
	{saysAccusation, "takedown notice, within your network, on your network"},
	// accusation: other languages
	{saysAccusation, "missbrauchsmeldung, abuse-meldung, urheberrechtsverletzung, spam-beschwerde, rapport d'abus, signalement d'abus, plainte pour, reporte de abuso"},
	{saysAccusation, "denuncia de abuso, denúncia de abuso, notificação de incidente, notificación de incidente, misbruikmelding, segnalazione di abuso, segnalazione abuso"},
	{saysAccusation, "hlášení incidentu, hlášení bezpečnostního, жалоба на, уведомление о нарушении, zgłoszenie naruszenia, zgłoszenie nadużycia"},
	// excuse: an answer to the reader
	{saysExcuse, "your abuse report, your spam report, your report, your complaint, your request, your ticket, your message, your email, your submission, received:"},
	{saysExcuse, "received your, has been received, your mail to, your case, ihre anfrage, ihre meldung, ihr ticket, ticket eröffnet, votre demande, votre signalement"},
	{saysExcuse, "su solicitud, su reporte, sua solicitação, sua denúncia, uw melding, uw verzoek, la sua richiesta, la sua segnalazione, vaše hlášení, váš požadavek"},
	{saysExcuse, "ваше обращение, ваша заявка, państwa zgłoszenie, twoje zgłoszenie"},
	// excuse: a list, praise, the trouble of the sender or of the reader
	{saysExcuse, "moderat, quarantine, quarantäne, digest, complaint summary, complaint rate, statistics, delist, removal request, no longer listed, has been removed"},
	{saysExcuse, "was removed, has been lifted, recover, investigating, mitigated, scheduled maintenance, maintenance window, cron <, cron job, anacron, logwatch"},
	{saysExcuse, "tls report, dmarc, wordfence, ossec, attack on your, attack on ip, attack against your, attacks on your, attack targeting, abuse contact, abuse-mailbox"},
	{saysExcuse, "validat"},
	// service
	{saysService, "feedback loop, feedback-loop, enrol, authorization request, authorisation request, approv, verification, verify your, please confirm, confirm your"},
	{saysService, "activation, welcome, subscription, sign-in, sign in, signin, new login, new device, your password, password reset, password change, passwort"},
	{saysService, "security code, invoice, rechnung, receipt, your payment, your order, newsletter, webinar, whitepaper, white paper, how to, protect your, conference"},
	{saysService, "dependabot, dependenc, advisory, security update, pull request, merge request, pipeline"},
	// sum
	{saysSum, "summary, daily, weekly, monthly, statistik"},
	// disclaimer
	{saysDisclaimer, "received your, for contacting, for reporting, thank you for your, thanks for your, thank you for submi, in response to the creation, forwarded your"},
	{saysDisclaimer, "regarding your report, regarding your complaint, your report has been, your complaint has been, your abuse report, your request has been"},
	{saysDisclaimer, "your mail has been, your message has been, your email has been, your e-mail has been, your ticket has been, ihre meldung erhalten"},
	{saysDisclaimer, "ihre nachricht erhalten, ihre meldung ist, bei uns eingegangen, vielen dank für ihre, ihre anfrage, votre signalement, bien reçu votre"},
	{saysDisclaimer, "su reporte ha sido, hemos recibido su, sua denúncia, recebemos sua, recebemos a sua, uw melding, abbiamo ricevuto la, vaše hlášení, ваше обращение"},
	{saysDisclaimer, "państwa zgłoszenie, wasn't you, was not you, wasn’t you, if this was you, don't recogni, do not recogni, signed in to your, has just been banned"},
	// settled
	{saysSettled, "has been resolved, was resolved, has been solved, was solved, was closed, been closed, is now closed, no longer listed, has been removed from"},
	{saysSettled, "been delisted"},
	// condition
	{saysCondition, "please, once, when, if , until, unless, after, as soon, before, not been"},
	// yours
	{saysYours, "your network, your ip, your server, your customer, your client, your host, your infrastructure, your domain, your web, your site, your service"},
	{saysYours, "your user, your control, hosted by you, you host, you are hosting, abuse team, abuse department, ihrem netz, ihr netz, ihre ip, ihrer ip, ihr server"},
	{saysYours, "ihrem server, ihren server, ihr kunde, ihres kunden, ihre kunden, ihre webs, ihrer webs, votre , vos , su red, su servidor, sus servidores, su ip"},
	{saysYours, "su cliente, sus clientes, su sitio, su dirección ip, sua rede, seu servidor, seus servidores, seu ip, seu cliente, seus clientes, seu site"},
	{saysYours, "seu endereço ip, uw netwerk, uw server, uw ip, uw klant, uw website, vostra , vostro , vostri , vaší , vaši , vaše, vašich, ваш, wasz, państwa"},
	// label
	{saysLabel, "url, uri, link, site, seite, domain, host, page, location, source, target, address, adresse, adresa, dirección, endereço, indirizzo, адрес, phish"},
	{saysLabel, "malware, infring"},
	// automatic: en
	{saysAutomatic, "automated message, automated report, automated noti, automated alert, automated email, automated e-mail, automated mail, is automated"},
	{saysAutomatic, "automatically generated, generated automatically, automatically sent, sent automatically, autogenerated, auto-generated, please do not reply"},
	{saysAutomatic, "do not reply to this, not reply directly, notice id, case id, incident id, infringement id, report id, case number, incident number"},
	// automatic: other languages
	{saysAutomatic, "automatisch generiert, automatisch erstellt, automatisch erzeugt, automatisch versandt, généré automatiquement, envoyé automatiquement"},
	{saysAutomatic, "message automatique, generado automáticamente, enviado automáticamente, mensaje automático, gerado automaticamente, gerada automaticamente"},
	{saysAutomatic, "enviado automaticamente, mensagem automática, automatisch gegenereerd, automatisch verzonden, generato automaticamente, inviato automaticamente"},
	{saysAutomatic, "messaggio automatico, automaticky generovan, automaticky vygenerovan, automaticky odeslan, автоматически сформирован, автоматически сгенерирован"},
	{saysAutomatic, "сформировано автоматически, отправлено автоматически, automatycznie wygenerowan, wygenerowana automatycznie, wygenerowany automatycznie"},
	// mailer
	{saysMailer, "phpmailer, php/, swiftmailer, swift mailer, mime::lite, mail::, python, perl, ruby, java, sendemail, swaks, mailutils, mailx, s-nail, nodemailer"},
	{saysMailer, "secure mailer, otrs, whmcs, znuny, zammad, request tracker, abuse, report"},
	// webmail
	{saysWebmail, "rcube, roundcube, webmail, squirrelmail, horde, .javamail.zimbra"},
	// reporter
	{saysReporter, "abuse, incident, incydent, phish, malware, botnet, ddos, takedown, dmca, copyright, antipiracy, blacklist, blocklist, dnsbl, honeypot, spamcop, spamhaus"},
	{saysReporter, "shadowserver, uceprotect"},
}

var lexicons = func() (all [meanings]lexicon) {
	for _, row := range phrases {
		all[row.meaning].addWords(strings.Split(row.words, ", ")...)
	}
	return all
}()

// isIn reports whether a phrase of the meaning is in the text, which is in lower case.
func (m meaning) isIn(text string) bool { return lexicons[m].isIn(text) }

// harmless hides the wrongs that every other message has in its footer.
var harmless = func() *strings.Replacer {
	pairs := []string{"abuse@", " @"}
	for _, words := range []string{
		"report abuse, abuse contact, abuse desk, abuse-mailbox, anti-abuse, report spam, not spam, anti-spam, antispam, spam folder, spam filter, spam score, junk or spam",
		"anti-virus, antivirus, virus-free, virus free, all rights reserved, copyright ©, copyright (c), © copyright, copyright 20",
	} {
		for word := range strings.SplitSeq(words, ", ") {
			pairs = append(pairs, word, " ")
		}
	}
	return strings.NewReplacer(pairs...)
}()

// lexicon finds any of many words in one pass over a text: they are kept by
// their first three octets.
type lexicon [512][]string

func newLexicon(words ...string) *lexicon {
	l := new(lexicon)
	l.addWords(words...)
	return l
}

func (l *lexicon) addWords(words ...string) {
	for _, word := range words {
		i := lexiconIndex(word)
		l[i] = append(l[i], word)
	}
}

func lexiconIndex(s string) uint { return (uint(s[0])*37 + uint(s[1])*11 + uint(s[2])) % 512 }

// isIn reports whether one of the words is in the text.
func (l *lexicon) isIn(text string) bool {
	for ; len(text) >= 3; text = text[1:] {
		for _, word := range l[lexiconIndex(text)] {
			if strings.HasPrefix(text, word) {
				return true
			}
		}
	}
	return false
}
