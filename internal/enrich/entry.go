package enrich

import (
	"math"
	"strconv"
	"strings"
)

// place and system are what a database holds of a network, in any of the shapes
// there are. Types differ between them, hence any.
type place struct {
	// {"iso_code": "DE"} of MaxMind and DB-IP; "DE" of IPinfo's older files,
	// the country's name of its newer ones.
	Country     any `maxminddb:"country"`
	CountryCode any `maxminddb:"country_code"` // "DE": IPinfo, IPLocate
}

type system struct {
	Number       any `maxminddb:"autonomous_system_number"` // 64496: MaxMind, DB-IP
	Organization any `maxminddb:"autonomous_system_organization"`
	Traits       any `maxminddb:"traits"` // the same two within: DB-IP, MaxMind's Enterprise

	ASN    any `maxminddb:"asn"`     // "AS64496": IPinfo; "64496": IPLocate
	ASName any `maxminddb:"as_name"` // IPinfo
	Name   any `maxminddb:"name"`    // beside asn: IPinfo's ASN database, IPLocate
}

// maxName is how long a network's name may be, in octets.
const maxName = 256

// country is the two letters of ISO 3166-1, in capitals; empty: not known.
func (p place) country() string {
	of, _ := p.Country.(map[string]any)
	for _, v := range []any{of["iso_code"], p.CountryCode, p.Country} {
		code, _ := v.(string)
		code = strings.ToUpper(code)
		if len(code) == 2 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && code != "ZZ" { // ZZ: unknown
			return code
		}
	}
	return ""
}

// asn is the number of the autonomous system (RFC 6793) and its name; the name
// goes with a number only.
func (s system) asn() (asn int, name string) {
	traits, _ := s.Traits.(map[string]any)
	for _, shape := range [][]any{
		{s.Number, s.Organization},
		{traits["autonomous_system_number"], traits["autonomous_system_organization"]},
		{s.ASN, s.ASName, s.Name},
	} {
		if asn = number(shape[0]); asn == 0 {
			continue
		}
		for _, v := range shape[1:] {
			if name, _ = v.(string); name != "" {
				break
			}
		}
		if name = strings.TrimSpace(name); len(name) > maxName {
			name = ""
		}
		return asn, name
	}
	return 0, ""
}

// number reads the number of an autonomous system; 0, which is none: not known.
func number(v any) int {
	n, _ := v.(uint64)
	if text, ok := v.(string); ok {
		if len(text) > 2 && strings.EqualFold(text[:2], "AS") {
			text = text[2:]
		}
		var err error
		if n, err = strconv.ParseUint(text, 10, 32); err != nil {
			return 0
		}
	}
	if n > min(math.MaxUint32, math.MaxInt) {
		return 0
	}
	return int(n)
}
