package sink

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/rule"
)

// pattern is a text that holds placeholders: {KEY} is the record's value of a key, as in
// When, or of a column of the CSV. {{ and }} are braces.
type pattern struct {
	literal []string // one more than keys: what is before, between and behind them
	keys    []rule.Key
	names   []string // of the keys, as written
}

// shortKeys are the CSV's names of keys below others.
var shortKeys = map[string]string{
	"subscriber": "identity.subscriber", "campaign": "identity.campaign", "tenant": "identity.tenant", "verdict": "suppress.verdict",
	"account": "mailbox.account", "folder": "mailbox.folder", "original_message_id": "original.message_id",
	"original_from": "original.from", "original_subject": "original.subject",
}

var errBrace = errors.New("holds a brace that is none of a placeholder such as {original_rcpt_to}; write {{ and }} for braces")

func parsePattern(text string) (p pattern, err error) {
	var literal strings.Builder
	for text != "" {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			i = len(text)
		}
		literal.WriteString(text[:i])
		text = text[i:]
		if len(text) > 1 && text[0] == text[1] {
			literal.WriteByte(text[0])
			text = text[2:]
			continue
		} else if text == "" {
			break
		}
		end := strings.IndexByte(text, '}')
		if end < 2 {
			return pattern{}, errBrace
		}
		name := text[1:end]
		key, err := placeholder(name)
		if err != nil {
			return pattern{}, err
		}
		p.literal, p.keys, p.names = append(p.literal, literal.String()), append(p.keys, key), append(p.names, name)
		literal.Reset()
		text = text[end+1:]
	}
	p.literal = append(p.literal, literal.String())
	return p, nil
}

// placeholder reads a key within braces.
func placeholder(name string) (rule.Key, error) {
	long, short := shortKeys[name]
	if !short {
		long = name
	}
	key, err := rule.ParseKey(long)
	switch {
	case err != nil:
		return key, fmt.Errorf("{%s}: %w (braces are {{ and }})", name, err)
	case key.IsList():
		return key, fmt.Errorf("{%s} is a list; a placeholder has one value", name)
	}
	return key, nil
}

// missing returns the name of a key that the item has no value of; "": none.
func (p pattern) missing(item *delivery.Item) string {
	for i, key := range p.keys {
		if value, err := key.Value(item); value == "" && err == nil {
			return p.names[i]
		}
	}
	return ""
}

// text puts an item's values in.
func (p pattern) text(item *delivery.Item) (string, error) {
	var b strings.Builder
	for i, key := range p.keys {
		value, err := key.Value(item)
		if err != nil {
			return "", err
		}
		b.WriteString(p.literal[i])
		b.WriteString(value)
	}
	b.WriteString(p.literal[len(p.keys)])
	return b.String(), nil
}
