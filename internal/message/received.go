package message

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Hop is what one Received says (RFC 5321 section 4.4).
type Hop struct {
	From    []string // names that the sender gives itself, or that its address has: none is proven
	IP      string   // of the sender, canonical, as the server saw it (TCP-info); "": unknown
	By      string   // the server that wrote it; "": unknown
	With    string   // the protocol, in lower case
	Date    time.Time
	Relayed bool // it came from another host
	Doubt   bool // the client may have written some of it: From and IP are empty
	Queue   bool // a line of qmail's queue, without a host: the host of the next Received wrote it
}

const maxPieces = 8 // of a Received between "from" and "by"

// ReadHop reads a Received.
//
// A Received mixes words of the client with those of the server. The name in HELO and
// the name of the user (ident) may hold blanks, parentheses, and a whole Received. A
// server always writes its "by", and the address of the connection directly before it.
// So "by" must occur once, and everything before it must have one of the forms that
// servers are known to write. Else the hop is in doubt.
func ReadHop(value string) (h Hop) {
	clauses, date := value, ""
	if i := strings.LastIndexByte(value, ';'); i >= 0 {
		clauses, date = value[:i], value[i+1:]
	}
	h.Date, _ = ParseDate(strings.TrimSpace(date))
	if h.Queue = isQueue(clauses); h.Queue {
		return h
	}
	head, tail, times := cutBy(value)
	switch {
	case times == 0:
		head = clauses
	case times > 1 || strings.Contains(head, ";"):
		h.Relayed, h.Doubt = true, true
		return h
	}
	h.readBy(tail)
	pieces, ok := piecesOf(head)
	switch {
	case ok && len(pieces) == 0, ok && len(pieces) == 1 && isGroup(pieces[0]):
		return h
	case !ok || !strings.EqualFold(pieces[0], "from") || !h.readFrom(pieces[1:]):
		h.From, h.IP, h.Doubt = nil, "", true
	}
	h.Relayed = true
	return h
}

// isQueue reports whether there is nothing but "(qmail 4711 invoked by uid 89)".
func isQueue(clauses string) bool {
	note, found := strings.CutPrefix(strings.TrimSpace(clauses), "(qmail ")
	note, closed := strings.CutSuffix(note, ")")
	_, how, invoked := strings.Cut(note, " invoked ")
	return found && closed && invoked && how != "" && !strings.ContainsAny(note, "()")
}

// cutBy cuts at the last word "by" and counts that word.
func cutBy(v string) (head, tail string, times int) {
	for start, at := 0, 0; at <= len(v); at++ {
		if at < len(v) && !IsBlank(rune(v[at])) {
			continue
		}
		if strings.EqualFold(v[start:at], "by") {
			head, tail = v[:start], v[at:]
			times++
		}
		start = at + 1
	}
	return head, tail, times
}

// IsBlank reports whether c is white space or of a line break.
func IsBlank(c rune) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// readBy reads the words after "by". They are the server's, except for the addresses of
// the envelope, which are ignored.
func (h *Hop) readBy(tail string) {
	depth, before := 0, "by"
	for word := range strings.FieldsFuncSeq(tail, IsBlank) {
		switch {
		case before == "by":
			if note := strings.IndexByte(word, '['); note > 0 {
				word = word[:note]
			}
			if !strings.ContainsAny(word, `()"\`) {
				h.By = strings.TrimRight(word, ".,;")
			}
		case depth == 0 && before == "with":
			h.With = strings.ToLower(strings.TrimRight(word, ".,;"))
			return
		case depth == 0 && (strings.EqualFold(word, "for") || strings.HasSuffix(before, ";")):
			return
		}
		before = strings.ToLower(word)
		depth += strings.Count(word, "(") - strings.Count(word, ")")
	}
}

// piecesOf splits head at blanks. "(a (b) c)" is one piece, without the last
// parenthesis. ok: the parentheses match, and there are at most maxPieces.
func piecesOf(head string) (pieces []string, ok bool) {
	for len(pieces) <= maxPieces {
		head = strings.TrimLeftFunc(head, IsBlank)
		end, depth := 0, 0
		for ; end < len(head); end++ {
			switch c := head[end]; {
			case c == '(' && (depth > 0 || end == 0):
				depth++
			case c == ')':
				depth--
			}
			if depth <= 0 && (head[end] == '(' || head[end] == ')' || IsBlank(rune(head[end]))) {
				break
			}
		}
		switch {
		case head == "":
			return pieces, true
		case depth != 0:
			return nil, false
		}
		pieces = append(pieces, head[:end])
		head = strings.TrimPrefix(head[end:], ")")
	}
	return nil, false
}

func isGroup(piece string) bool { return strings.HasPrefix(piece, "(") }

// readFrom reads the pieces after "from". It returns false if their form is unknown.
func (h *Hop) readFrom(pieces []string) bool {
	if len(pieces) == 0 || isGroup(pieces[0]) || slices.ContainsFunc(pieces[1:], func(p string) bool { return !isGroup(p) }) {
		return false
	}
	first, groups := pieces[0], pieces[1:]
	told, bracketed := addressOf(first)
	h.call(first)
	if len(groups) == 0 {
		// A name alone may be the client's word, and so may an address. Only a client of
		// HTTP says no HELO (Yahoo, from one host to another).
		h.IP = told
		return !holdsAddress(first) || told != "" && !bracketed && (h.With == "http" || h.With == "https")
	}
	words, more := strings.FieldsFunc(groups[0][1:], IsBlank), groups[1:]
	switch {
	case len(words) > 0 && isGreeting(words[0]): // qmail, Zimbra; Yahoo
		if len(words) != 2 {
			return false
		}
		h.call(words[1])
		h.IP = told
		if len(more) > 0 && qmailAddress(more[0]) != "" {
			h.IP, more = qmailAddress(more[0]), more[1:]
			if told != "" && told != h.IP && !IsPrivate(told) { // before Yahoo's server there is a proxy of its own
				return false
			}
		}
	case bracketed && h.options(words): // Exim, of an address without a name
		h.IP = told
	default:
		h.IP = h.peer(words)
	}
	return h.IP != "" && !slices.ContainsFunc(more, func(group string) bool { return !isRemark(group[1:]) })
}

// peer gives the address of "(name [address])" and of "([address] helo=name)",
// which Postfix, sendmail, Exim, Gmail and most others write, and of
// "(address)", Exchange's and qmail's.
func (h *Hop) peer(words []string) (ip string) {
	if len(words) == 1 {
		if ip = qmailAddress("(" + words[0]); ip != "" {
			return ip
		}
	}
	named := len(words) > 1 && !strings.HasPrefix(words[0], "[")
	if named && strings.Contains(words[0], "=") {
		return "" // it is Exim's "helo=": the client's words follow
	}
	if named {
		h.call(words[0][strings.LastIndexByte(words[0], '@')+1:])
		words = words[1:]
	}
	if len(words) == 0 {
		return ""
	}
	ip, bracketed := addressOf(words[0])
	if rest := words[1:]; !bracketed || len(rest) > 0 && !slices.Equal(rest, []string{"(may", "be", "forged)"}) && (named || !h.options(rest)) {
		return ""
	}
	return ip
}

// options reads Exim's "port=1 helo=name ident=user".
func (h *Hop) options(words []string) bool {
	var seen []string
	for _, word := range words {
		key, value, found := strings.Cut(word, "=")
		if !found || !slices.Contains([]string{"port", "helo", "ident"}, key) || slices.Contains(seen, key) {
			return false
		}
		if seen = append(seen, key); key == "helo" {
			h.call(value)
		}
	}
	return len(words) > 0
}

// qmailAddress reads "(address", "([address]" and "(user@address".
func qmailAddress(group string) string {
	at := strings.LastIndexByte(group, '@')
	ip, _ := addressOf(group[max(at, 0)+1:])
	return ip
}

// addressOf reads an address, bare or in brackets, with or without a port:
// "[192.0.2.1]", "[192.0.2.1]:25", "[192.0.2.1:25]", "[IPv6:2001:db8::1]".
func addressOf(word string) (ip string, bracketed bool) {
	inside, bracketed := strings.CutPrefix(word, "[")
	if !bracketed {
		if ip, more := ParseIP(word); !more && !strings.Contains(word, "]") {
			return ip, false
		}
		return "", false
	}
	inside, port, closed := strings.Cut(inside, "]")
	if !closed || port != "" && !isPort(port) {
		return "", true
	}
	if host, port, found := strings.Cut(inside, ":"); found && isPort(":"+port) {
		inside = host
	}
	if strings.ContainsAny(inside, "[\u00a0,;( \t") {
		return "", true
	}
	ip, _ = ParseIP(inside)
	return ip, true
}

func isPort(v string) bool {
	digits, found := strings.CutPrefix(v, ":")
	return found && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// call notes a name of the sender, if it is no address.
func (h *Hop) call(word string) {
	if ip, _ := addressOf(word); ip == "" && word != "" {
		h.From = append(h.From, strings.TrimSuffix(word, "."))
	}
}

func isGreeting(word string) bool { return ContainsFold([]string{"helo", "ehlo", "lhlo"}, word) }

// isRemark reports whether servers write such a text after the address of the
// connection. A text that holds an address is none: either could be that of the
// connection.
func isRemark(text string) bool {
	known := slices.ContainsFunc([]string{"using ", "client ", "no client certificate", "authenticated", "may be forged", "tls", "auth", "ident:"},
		func(start string) bool { return len(text) >= len(start) && strings.EqualFold(text[:len(start)], start) })
	return known && !holdsAddress(text)
}

func holdsAddress(text string) bool {
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return IsBlank(c) || strings.ContainsRune(`()[]<>",;@=`, c) }) {
		if ip, _ := ParseIP(word); ip != "" {
			return true
		}
	}
	return false
}

// IsWithin reports whether the sender of the hop is one of hosts, which are domains.
// known reports whether that is certain.
//
// A sender chooses its names. But a host of another network cannot have a private
// address: a sender with one is of hosts if its name is, or if it has no name. A sender
// with such a name and a public address may be anybody, unless the address is known to
// be of the provider's hosts. A hop without a sender, or with one that logged in, may be
// where a user submitted the message: then the fields below are the user's.
func (h *Hop) IsWithin(hosts []string) (inside, known bool) {
	if h.Doubt || !h.Relayed {
		return false, false
	}
	named := false
	for _, name := range h.From {
		inside = inside || Within(name, hosts...)
		named = named || strings.Contains(name, ".")
	}
	switch {
	case h.With == "mapi": // the program of a user
		return false, false
	case IsPrivate(h.IP):
		inside = inside || !named
		login := inside && isLogin(h.With)
		return inside && !login, !login
	case inside:
		return h.isInner(), h.isInner()
	}
	return false, true
}

// isLogin reports whether the client logs in first by the protocol, in lower case (RFC
// 3848, RFC 6531 section 4.3). Hosts log in to each other by LMTP alone.
func isLogin(with string) bool {
	switch with {
	case "esmtpa", "esmtpsa", "utf8smtpa", "utf8smtpsa":
		return true
	}
	return false
}

// IsPrivate reports whether no host in the Internet can have the address: it is private,
// loopback or link-local.
func IsPrivate(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && (!addr.IsGlobalUnicast() || addr.IsPrivate())
}

// ContainsFold reports whether v is in the list. Case does not matter.
func ContainsFold(list []string, v string) bool {
	for _, one := range list {
		if len(one) == len(v) && strings.EqualFold(one, v) {
			return true
		}
	}
	return false
}
