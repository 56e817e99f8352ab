package report

import (
	"regexp"
	"strings"
	"sync"
)

// A person who sends a message on calls it spam, or says that it is none and that
// a filter was wrong. Both use the same words; what is said of them counts.

// callsSpam reports whether a text, but for what it quotes and for the names in
// it, complains of spam.
func callsSpam(text string) bool {
	own := spoken(text)
	folded := foldWords(own)
	return containsAny(folded, spamWords) && !containsAny(folded, []string{"dmarc", "authentication"}) && !deniesSpam(own)
}

// spamWords are what a text that calls a message spam has one of; most have none,
// and are not read for denials.
var spamWords = []string{"spam", "unsolicited", "junk", "complaint", "abuse", "phish", "unwanted mail", "unwanted e", "beschwerde", "unerwunscht", "unerwuenscht", "unverlangt",
	"pourriel", "indesirable", "hameconnage", "correo basura", "no deseado", "no solicitado"}

// spoken is what a text says itself, in lower case.
func spoken(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.ToLower(text)) {
		if !strings.HasPrefix(line, ">") {
			b.WriteString(line)
		}
	}
	return ownWords(b.String())
}

// foldWords makes words of a text in lower case: letters without accents, with one blank
// between words, before the first and after the last.
func foldWords(text string) string {
	var b strings.Builder
	b.Grow(len(text) + 2)
	b.WriteByte(' ')
	blank := true
	for _, c := range text {
		if letter, known := accents[c]; known {
			b.WriteString(letter)
		} else if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c > 0x17f && c != '’' && c != '‘' && c != '“' && c != '”' && c != '„' && c != '–' && c != '—' {
			b.WriteRune(c)
		} else {
			if !blank {
				b.WriteByte(' ')
			}
			blank = true
			continue
		}
		blank = false
	}
	if !blank {
		b.WriteByte(' ')
	}
	return b.String()
}

var accents = func() map[rune]string {
	folded := map[rune]string{'ß': "ss", 'œ': "oe", 'æ': "ae", '\u0300': "", '\u0301': "", '\u0308': ""}
	for letter, with := range map[string]string{"a": "àáâãäå", "c": "çč", "e": "èéêëě", "i": "ìíîï", "n": "ñň", "o": "òóôõöø", "u": "ùúûüů", "y": "ýÿ", "s": "š", "z": "ž", "r": "ř"} {
		for _, c := range with {
			folded[c] = letter
		}
	}
	return folded
}()

// deniesSpam reports whether a clause of the text says that the message is no spam
// or was held for it wrongly.
func deniesSpam(text string) bool {
	d := denials()
	for clause := range strings.SplitSeq(d.ends.ReplaceAllString(text, "\x00"), "\x00") {
		clause = foldWords(clause)
		if len(clause) < 4 || d.conditional.MatchString(clause) {
			continue
		}
		clause = d.spams.ReplaceAllString(clause, " ")
		switch {
		case d.denied.MatchString(clause) && !d.wished.MatchString(clause):
			return true
		case d.wrongly.MatchString(clause) && !d.missed.MatchString(clause):
			return true
		case d.wanted.MatchString(clause) && !d.doubted.MatchString(clause):
			return true
		}
	}
	return false
}

// denial are the expressions by which spam is denied, for folded clauses, in
// English, German, French and Spanish, and the plainest in a few languages more.
type denial struct {
	ends        *regexp.Regexp // what ends a clause, in a text that is not folded
	conditional *regexp.Regexp // a clause that says "if", or asks why
	spams       *regexp.Regexp // "spam" as a verb
	denied      *regexp.Regexp // "is not spam"
	wished      *regexp.Regexp // in a clause that only wishes for no spam
	wrongly     *regexp.Regexp // "marked as spam by mistake"
	missed      *regexp.Regexp // in a clause on spam that was taken for something else
	wanted      *regexp.Regexp // "legitimate"
	doubted     *regexp.Regexp // in a clause that says that it is not, or only looks so
}

var denials = sync.OnceValue(func() *denial {
	const (
		spam = `(?:spam|spammy|junk|phish|phishing|scam|unsolicited|malicious|pourriels?|indesirables?|courriers? indesirables?|hameconnage|correos? basura|basura|correos? no deseados?|no deseados?|werbung|spam ?mails?|phishing ?mails?|junk ?mails?)`
		held = `(?:marked|flagged|classified|categori[sz]ed|filtered|blocked|quarantined|tagged|identified|detected|caught|labell?ed|considered|treated|reported|rejected|junked|(?:moved|sent|put|landed|went|delivered|ended up|placed) (?:to|in|into) (?:\w+ ){0,2}(?:spam|junk|quarantine|trash))`
		amis = `(?:wrongly|wrongfully|incorrectly|mistakenly|erroneously|falsely|improperly|unjustly|accidentally|inadvertently|by mistake|in error|by error|by accident)`
		gilt = `(?:markiert|eingestuft|aussortiert|gefiltert|herausgefiltert|erkannt|blockiert|geblockt|klassifiziert|gekennzeichnet|gemeldet|abgewiesen|eingeordnet|verschoben|(?:quaranta?e?ne|spam ?ordner|junk ?ordner))`
		zuUn = `(?:fae?lschlich\w*|irrtue?mlich\w*|versehentlich|zu unrecht|aus versehen|fehlerhaft)`
		pris = `(?:marquee?s?|classee?s?|signalee?s?|bloquee?s?|filtree?s?|identifiee?s?|consideree?s?|detectee?s?|rejetee?s?|placee?s?|rangee?s?|deplacee?s?|(?:en|la) quarantaine)`
		tort = `(?:a tort|par erreur|erronement|injustement|incorrectement|par megarde|de facon erronee|de maniere erronee)`
		toma = `(?:marcad[oa]s?|marque|marco|clasificad[oa]s?|clasifico|bloquead[oa]s?|bloqueo|filtrad[oa]s?|identificad[oa]s?|considerad[oa]s?|detectad[oa]s?|reportad[oa]s?|reporte|rechazad[oa]s?|cuarentena|(?:enviad[oa]s?|movid[oa]s?) a (?:la )?(?:carpeta|spam|correo|basura))`
		mala = `(?:por error|erroneamente|equivocadamente|incorrectamente|indebidamente|por equivocacion|injustamente)`
	)
	near := func(one, other string) string {
		return one + ` (?:\w+ ){0,3}` + other + `|` + other + ` (?:\w+ ){0,6}` + one
	}
	return &denial{
		ends:        regexp.MustCompile(`[,;:()!?]|[.](?:\s|$)|\n\s*\n|\s[-–—]+\s|\b(?:but|because|although|aber|sondern|denn|mais|car|pero|sino|porque)\b`),
		conditional: regexp.MustCompile(`^ (?:and |or )?(?:if|unless|when|why|how|wenn|falls|warum|wieso|si|pourquoi|cuando|por que) `),
		spams:       regexp.MustCompile(` (?:do|does|did|should|must|can|could|please|will|would|to|don t) (?:not )?(?:spam|phish)\b`),
		denied: regexp.MustCompile(`(?:^|\b)(?:` + strings.Join([]string{
			`(?:not|isn t|isnt|wasn t|aren t|weren t|non|never)(?: (?:really|actually|in fact|at all|a|an|any|considered|to be|be|been|truly|definitely|certainly|kind of|piece of))* ` + spam,
			`(?:is|was|are|were|s) (?:certainly |definitely |really )?no (?:\w+ )?` + spam,
			`(?:(?:should|must|ought|do|does|did) not|shouldn t|mustn t|don t) (?:have been |be |have |get |go |land |end up |mark |flag |treat |block |filter |quarantine |classify )(?:\w+ ){0,3}(?:` + held + `|spam|junk|quarantine)`,
			`please (?:\w+ ){0,3}(?:unblock|release|unquarantine|whitelist|white list|safelist|allowlist|allow list)`,
			`bitte (?:\w+ ){0,5}(?:freigeben|freischalten|entsperren|whitelisten|whitelist|positivliste)`, `(?:debloquer|liberer)`, `(?:desbloquear\w*|desbloqueen|liberar|liberen)`,
			`(?:ist|sind|war|waren)\b(?: \w+){0,3} keine? (?:\w+ )?` + spam, `um keinen? (?:\w+ )?` + spam, `^ keine? (?:\w+ )?` + spam, `^ nicht ` + spam, ` keine? spam`,
			`(?:ist|sind|war|waren)\b(?: \w+){0,3} nicht (?:\w+ )?` + spam, `nicht um (?:eine?n? )?(?:\w+ )?` + spam, `nicht unerwue?nscht`,
			`(?:soll|sollte|sollten|darf|durfte|duerfte|bitte)\b.* nicht (?:mehr )?(?:als|im|in den) ` + spam,
			`pas (?:du |un |une |des |d |le |du tout du )?` + spam, `(?:doit|doivent|devrait|devraient|aurait|auraient) pas (?:du )?(?:etre |avoir ete )?` + pris,
			`no (?:es|son|era|eran|fue|se trata de)(?: un| una| ningun)?(?: mensaje de| correo de)? ` + spam, `no (?:debe|deben|deberia|deberian|debio)\b.*` + toma,
			`geen (?:\w+ )?spam`, `non e(?: uno| dello| una)? spam`, `nao e(?: um)? spam`, `no es spam`,
		}, "|") + `)\b`),
		wished: regexp.MustCompile(`\b(?:mehr|mochte|moechte|will|wunsche|wuensche|no more|want|wants|stop|plus de|meer|mas)\b|\bbitte keine?\b|\bkeine? \w+ bitte\b`),
		wrongly: regexp.MustCompile(`\b(?:` + strings.Join([]string{
			near(amis, held), near(zuUn, gilt), near(tort, pris), near(mala, toma), `falsch (?:markiert|eingestuft|klassifiziert|erkannt|einsortiert)`,
		}, "|") + `)\b`),
		missed: regexp.MustCompile(`\b(?:as|als|comme|como) (?:a |an |kein |nicht |pas |no )?(?:not |non )?(?:ham|clean|safe|legit\w*|good|harmlos|sauber|sicher|unbedenklich|legitim\w*|sain|sur|legitimo|seguro|inbox|not spam|not junk|non spam|kein spam)\b`),
		wanted: regexp.MustCompile(`\b(?:` + strings.Join([]string{
			`false positives?`, `falsch positiv\w*`, `fehlalarm`, `faux positifs?`, `falsos? positivos?`, `falso positivo`,
			`(?:legit|legitimate|genuine|wanted|solicited|expected|harmless) (?:\w+ )?(?:mail|mails|email|emails|e mail|message|messages|newsletter|newsletters|mailing|sender|correspondence)`,
			`(?:is|are|was|were|s) (?:a |an |perfectly |completely |totally |actually |really |indeed |in fact |absolutely |100 )*(?:legit|legitimate|genuine|ham|harmless|wanted)`,
			`legitim(?:e|er|es|en|em)?`, `erwue?nscht\w*`, `gewollt\w*`, `gewue?nscht\w*`, `unbedenklich\w*`,
			`legitimes?`, `(?:bien )?(?:sollicitee?s?|desiree?s?|souhaitee?s?|voulue?s?)`,
			`legitim[oa]s?`, `(?:solicitad|desead|querid)[oa]s?`, `legittim[oae]`,
		}, "|") + `)\b`),
		doubted: regexp.MustCompile(`\b(?:not|no|never|nor|isn t|isnt|wasn t|aren t|weren t|don t|didn t|hardly|nothing|neither|pretend\w*|claim\w*|appear\w*|seem\w*|look\w*|pos(?:e|es|ing)|disguis\w*|fake\w*|masquerad\w*|imitat\w*|spoof\w*|impersonat\w*|abus\w*|would be|` +
			`nicht|kein\w*|nie|niemals|angeblich\w*|scheinbar\w*|vermeintlich\w*|gibt sich|tarnt|getarnt|sieht|wirkt|gefalscht\w*|weder|` +
			`pas|non|jamais|aucune?|pretend\w*|semble\w*|parait|apparence|fausse|imite\w*|usurp\w*|passer pour|` +
			`nunca|ningun\w*|parece\w*|aparenta\w*|finge\w*|suplanta\w*|pretende\w*|simula\w*|jamas)\b`),
	}
})
