package hook

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/callbacks"
)

// event is the input of a command; the package comment lists its keys.
type event struct {
	Event       string    `json:"event"`
	At          time.Time `json:"at"`
	Account     string    `json:"account"`
	Mailbox     string    `json:"mailbox,omitempty"`
	UIDValidity uint64    `json:"uidvalidity,omitempty"`
	N           *uint32   `json:"n,omitempty"`
	Seq         uint32    `json:"seq,omitempty"`
	UID         uint32    `json:"uid,omitempty"`
	Flags       []string  `json:"flags,omitzero"`
	Delim       string    `json:"delim,omitempty"`
	Attrs       []string  `json:"attrs,omitzero"`
	Messages    *uint32   `json:"messages,omitempty"`
	UIDNext     *uint32   `json:"uidnext,omitempty"`
	Unseen      *uint32   `json:"unseen,omitempty"`
	Recent      *uint32   `json:"recent,omitempty"`
	Size        *int64    `json:"size,omitempty"`
	Level       string    `json:"level,omitempty"`
	Code        string    `json:"code,omitempty"`
	Text        string    `json:"text,omitempty"`
}

// handler queues the events of one account's sessions.
type handler struct {
	callbacks.Nop
	hooks   *Hooks
	account string
}

// maxText is how many octets of a text an event keeps: a protocol line may have a
// million.
const maxText = 4096

func (h handler) put(name string, m callbacks.Mailbox, e event) {
	if h.hooks.commands[name] == nil {
		return
	}
	e.Event, e.At, e.Account, e.Mailbox = name, time.Now().UTC(), h.account, m.Name
	if e.UIDValidity == 0 {
		e.UIDValidity = m.UIDValidity
	}
	if len(e.Text) > maxText {
		cut := maxText
		for cut > maxText-utf8.UTFMax && !utf8.RuneStart(e.Text[cut]) {
			cut--
		}
		e.Text = e.Text[:cut]
	}
	var line bytes.Buffer
	out := json.NewEncoder(&line)
	out.SetEscapeHTML(false)
	_ = out.Encode(e) // every field's type has a form in JSON
	h.hooks.put(waiting{event: name, account: e.Account, mailbox: e.Mailbox, line: line.Bytes()})
}

// known returns an empty list instead of nil, which would be left out as unknown.
func known(words []string) []string {
	if words == nil {
		return []string{}
	}
	return words
}

func (h handler) Exists(m callbacks.Mailbox, n uint32) { h.put("exists", m, event{N: &n}) }

func (h handler) Expunged(m callbacks.Mailbox, seq, uid uint32) {
	h.put("expunged", m, event{Seq: seq, UID: uid})
}

func (h handler) Flags(m callbacks.Mailbox, seq, uid uint32, flags []string) {
	h.put("flags", m, event{Seq: seq, UID: uid, Flags: known(flags)})
}

func (h handler) Searched(m callbacks.Mailbox, uid uint32) { h.put("searched", m, event{UID: uid}) }

func (h handler) List(mailbox string, delim rune, attrs []string) {
	h.put("list", callbacks.Mailbox{Name: mailbox}, listed(delim, attrs))
}

func (h handler) LSub(mailbox string, delim rune, attrs []string) {
	h.put("lsub", callbacks.Mailbox{Name: mailbox}, listed(delim, attrs))
}

func listed(delim rune, attrs []string) event {
	e := event{Attrs: known(attrs)}
	if delim != 0 {
		e.Delim = string(delim)
	}
	return e
}

func (h handler) Status(m callbacks.Mailbox, s callbacks.Status) {
	e := event{Messages: s.Messages, UIDNext: s.UIDNext, Unseen: s.Unseen, Recent: s.Recent, Size: s.Size}
	if s.UIDValidity != nil {
		e.UIDValidity = *s.UIDValidity
	}
	h.put("status", m, e)
}

func (h handler) Notify(m callbacks.Mailbox, level callbacks.Level, code, text string) {
	h.put("notify", m, event{Level: level.String(), Code: code, Text: text})
}

func (h handler) Log(level callbacks.Level, text string) {
	h.put("log", callbacks.Mailbox{}, event{Level: level.String(), Text: text})
}

func (h handler) Debug(line string) { h.put("debug", callbacks.Mailbox{}, event{Text: line}) }

func (h handler) Critical(m callbacks.Mailbox)   { h.put("critical", m, event{}) }
func (h handler) NoCritical(m callbacks.Mailbox) { h.put("nocritical", m, event{}) }
