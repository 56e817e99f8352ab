package enrich

import (
	"math"
	"strconv"
	"strings"
)

// location and network are what a database holds about an address. The databases
// differ in keys and types, so each field is any.
type location struct {
	// {"iso_code": "DE"} of MaxMind and DB-IP; "DE" of IPinfo's older files, and
	// the country's name of its newer ones.
	Country     any `maxminddb:"country"`
	CountryCode any `maxminddb:"country_code"` // "DE": IPinfo, IPLocate
}

type network struct {
	Number       any `maxminddb:"autonomous_system_number"` // 64496: MaxMind, DB-IP
	Organization any `maxminddb:"autonomous_system_organization"`
	Traits       any `maxminddb:"traits"` // the same two within: DB-IP, MaxMind's Enterprise

	ASN    any `maxminddb:"asn"`     // "AS64496": IPinfo; "64496": IPLocate
	ASName any `maxminddb:"as_name"` // IPinfo
	Name   any `maxminddb:"name"`    // beside asn: IPinfo's ASN database, IPLocate
}

// maxName is the longest name of a network, in octets. Longer ones are left out.
const maxName = 256

// country returns the two letters of ISO 3166-1, in capitals; empty: unknown.
func (l location) country() string {
	of, _ := l.Country.(map[string]any)
	for _, v := range []any{of["iso_code"], l.CountryCode, l.Country} {
		code, _ := v.(string)
		code = strings.ToUpper(code)
		if len(code) == 2 && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && code != "ZZ" { // ZZ: unknown
			return code
		}
	}
	return ""
}

// asn returns the number of the autonomous system (RFC 6793), and its name; 0:
// unknown, and so is the name.
func (n network) asn() (asn int, name string) {
	traits, _ := n.Traits.(map[string]any)
	for _, shape := range [][]any{
		{n.Number, n.Organization},
		{traits["autonomous_system_number"], traits["autonomous_system_organization"]},
		{n.ASN, n.ASName, n.Name},
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

// number reads the number of an autonomous system; 0 is reserved, and means unknown.
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
