package authentic

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// arcSet is one instance of an ARC chain (RFC 8617 section 4.2).
type arcSet struct{ results, message, seal *headerField }

const maxARC = 50 // instances (RFC 8617 section 4.2.1)

// arcInstance is the i= of a field, 0 where it is not valid. In the results it
// stands in front; the rest of them are no tags.
func arcInstance(f *headerField) int {
	list := f.value()
	if f.name == "arc-authentication-results" {
		list, _, _ = strings.Cut(list, ";")
	}
	tags, _ := readTags(list)
	i, err := strconv.Atoi(tags["i"])
	if err != nil || i < 1 || i > maxARC {
		return 0
	}
	return i
}

// arcSets gives the chain, the oldest first; nil where it is not whole.
func (m *message) arcSets() []arcSet {
	var sets [maxARC + 1]arcSet
	newest := 0
	for n := range m.fields {
		f := &m.fields[n]
		if f.name != "arc-seal" && f.name != "arc-message-signature" && f.name != "arc-authentication-results" {
			continue
		}
		i := arcInstance(f)
		newest = max(newest, i)
		slot := &sets[i].results
		switch f.name {
		case "arc-seal":
			slot = &sets[i].seal
		case "arc-message-signature":
			slot = &sets[i].message
		}
		if i == 0 || *slot != nil || len(f.raw) > maxSignature {
			return nil
		}
		*slot = f
	}
	for _, s := range sets[1 : newest+1] {
		if s.results == nil || s.message == nil || s.seal == nil {
			return nil
		}
	}
	return sets[1 : newest+1]
}

// sealed gives what the newest sealer says of the mail, if we believe it: it is
// one of trust.arc_sealers, the chain was whole when it got it, its seal over
// the chain and its signature over all of the body verify. What older seals are
// worth is its own word. signature is that over the mail. An error is one of the
// key, or errLate.
func (c *Checker) sealed(ctx context.Context, m *message, received time.Time) (*authResults, *signature, error) {
	sets := m.arcSets()
	if len(sets) == 0 {
		return nil, nil, nil
	}
	last := sets[len(sets)-1]
	seal, err := readSignature(*last.seal)
	want := "pass"
	if len(sets) == 1 {
		want = "none"
	}
	if _, covers := seal.tags["h"]; err != nil || covers || !strings.EqualFold(seal.tags["cv"], want) || !covered(c.config.ARCSealers, seal.domain) {
		return nil, nil, nil
	}
	sig, err := readSignature(*last.message)
	if err != nil || !covered(c.config.ARCSealers, sig.domain) || !sig.covers("from") || sig.short(m) {
		return nil, nil, nil
	}
	if err := c.expired(&sig, received); errors.Is(err, errExpired) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	sealKeys, err := c.keys.lookup(ctx, seal.keyName(), true)
	if err != nil {
		return nil, nil, err
	}
	keys, err := c.keys.lookup(ctx, sig.keyName(), true)
	if err != nil {
		return nil, nil, err
	}
	if seal.verify(sealedData(sets, &seal), sealKeys) != nil || sig.verifyMessage(m, keys) != nil {
		return nil, nil, nil
	}
	_, said, _ := strings.Cut(last.results.value(), ";")
	a := parseResults(said)
	return &a, &sig, nil
}

// sealedData is what a seal signs (RFC 8617 section 5.1.1): all sets in their
// order, the seal itself last and without its b=.
func sealedData(sets []arcSet, seal *signature) []byte {
	var data []byte
	for i, s := range sets {
		data = append(data, canonicalField(s.results.raw, true)...)
		data = append(data, canonicalField(s.message.raw, true)...)
		if i < len(sets)-1 {
			data = append(data, canonicalField(s.seal.raw, true)...)
		}
	}
	return append(data, seal.unsigned(true)...)
}
