package trust

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// arcSet is one instance of an ARC chain (RFC 8617 section 4.2).
type arcSet struct{ results, message, seal *headerField }

const maxARC = 50 // instances (RFC 8617 section 4.2.1)

// arcInstance is the i= of a field, 0 where it is not valid. In the results it
// is the first tag; the rest of them are no tags.
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
func (m *signable) arcSets() []arcSet {
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

// sealed gives what the newest sealer says of the message, if we believe it: it is
// one of sealers, the chain was whole when it got it, its seal over the chain and its
// signature, which is given too, over all of the body verify. What older seals are
// worth is its own word. why is what keeps it from counting, with a Code where it may
// count later.
func (c *Checker) sealed(ctx context.Context, m *signable, sealers []string, received time.Time) (said *authResults, sig *signature, why report.Reason) {
	not := func(text string) (*authResults, *signature, report.Reason) {
		return nil, nil, report.Reason{Text: text}
	}
	later := func(err error) (*authResults, *signature, report.Reason) {
		return nil, nil, report.Reason{Code: codeOf(err), Text: err.Error()}
	}
	sets := m.arcSets()
	if len(sets) == 0 {
		return not("the chain is not whole")
	}
	last, want := sets[len(sets)-1], resultPass
	if len(sets) == 1 {
		want = resultNone
	}
	seal, err := readSignature(*last.seal)
	if _, covers := seal.tags["h"]; err != nil || covers {
		return not("the seal cannot be read")
	}
	message, err := readSignature(*last.message)
	switch {
	case err != nil:
		return not("the signature beside the seal cannot be read")
	case !covered(sealers, seal.domain), !covered(sealers, message.domain):
		return not(shown(seal.domain) + " is not in trust.arc_sealers")
	case lower(seal.tags["cv"]) != want:
		return not("the chain was broken when it was sealed: cv=" + shown(seal.tags["cv"]))
	case !message.covers("from"), message.short(m):
		return not("the seal does not cover From and all of the body")
	}
	if err := c.expired(&message, received); errors.Is(err, errExpired) {
		return not(err.Error())
	} else if err != nil {
		return later(err)
	}
	sealKeys, err := c.keys.lookup(ctx, seal.keyName(), true)
	if err != nil {
		return later(err)
	}
	keys, err := c.keys.lookup(ctx, message.keyName(), true)
	if err != nil {
		return later(err)
	}
	if seal.verify(sealedData(sets, &seal), sealKeys) != nil || message.verifyMessage(m, keys) != nil {
		return not("the seal does not verify")
	}
	_, found, _ := strings.Cut(last.results.value(), ";")
	a := parseResults(found)
	return &a, &message, why
}

// sealedData is what a seal signs (RFC 8617 section 5.1.1): all sets in their
// order, the seal itself last and without its b=.
func sealedData(sets []arcSet, seal *signature) []byte {
	var data []byte
	for i, s := range sets {
		data = appendField(data, s.results.raw, true)
		data = appendField(data, s.message.raw, true)
		if i < len(sets)-1 {
			data = appendField(data, s.seal.raw, true)
		}
	}
	return seal.appendUnsigned(data, true)
}
