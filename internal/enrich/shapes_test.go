package enrich

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/fblwatch/fblwatch/report"
)

type (
	entryOf  = mmdbtype.Map
	text     = mmdbtype.String
	number32 = mmdbtype.Uint32
)

// write makes an MMDB file of networks, of IPv6 with IPv4 within.
func write(t testing.TB, path string, networks map[string]mmdbtype.DataType) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test", IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for prefix, entry := range networks {
		_, network, err := net.ParseCIDR(prefix)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(network, entry); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := tree.WriteTo(file); err != nil {
		t.Fatal(err)
	}
}

// sourceOf is what an Enricher says of an address.
func sourceOf(t testing.TB, e *Enricher, ip string) report.Source {
	t.Helper()
	records := []report.Record{{SourceIP: ip}}
	e.Records(t.Context(), records)
	if records[0].Source == nil {
		return report.Source{}
	}
	return *records[0].Source
}

// TestShapes: each maker's entries as its documentation shows them.
func TestShapes(t *testing.T) {
	names := entryOf{"en": text("Germany"), "de": text("Deutschland")}
	for name, test := range map[string]struct {
		entry entryOf
		want  report.Source
	}{
		"GeoLite2-Country": {entryOf{
			"continent":          entryOf{"code": text("EU"), "geoname_id": number32(6255148)},
			"country":            entryOf{"iso_code": text("DE"), "geoname_id": number32(2921044), "names": names},
			"registered_country": entryOf{"iso_code": text("FR")},
		}, report.Source{Country: "DE"}},
		"GeoLite2-Country, registered only": {entryOf{"registered_country": entryOf{"iso_code": text("FR")}}, report.Source{}},
		"GeoLite2-ASN, DB-IP ASN Lite": {entryOf{
			"autonomous_system_number": number32(64496), "autonomous_system_organization": text("Example GmbH"),
		}, report.Source{ASN: 64496, ASName: "Example GmbH"}},
		"a number alone": {entryOf{"autonomous_system_number": number32(64496)}, report.Source{ASN: 64496}},
		"DB-IP ISP": {entryOf{
			"country": entryOf{"iso_code": text("DE")},
			"traits":  entryOf{"autonomous_system_number": number32(4200000000), "autonomous_system_organization": text("Example GmbH"), "isp": text("other")},
		}, report.Source{Country: "DE", ASN: 4200000000, ASName: "Example GmbH"}},
		"IPinfo Lite": {entryOf{
			"country": text("Germany"), "country_code": text("DE"), "continent_code": text("EU"),
			"asn": text("AS64496"), "as_name": text("Example GmbH"), "as_domain": text("example.com"),
		}, report.Source{Country: "DE", ASN: 64496, ASName: "Example GmbH"}},
		"IPinfo country_asn": {entryOf{
			"country": text("DE"), "country_name": text("Germany"), "asn": text("AS64496"), "as_name": text("Example GmbH"),
		}, report.Source{Country: "DE", ASN: 64496, ASName: "Example GmbH"}},
		"IPinfo asn": {entryOf{
			"asn": text("AS64496"), "name": text("Example GmbH"), "domain": text("example.com"), "type": text("hosting"),
		}, report.Source{ASN: 64496, ASName: "Example GmbH"}},
		"IPinfo without a network": {entryOf{"country_code": text("DE"), "asn": text(""), "as_name": text("")}, report.Source{Country: "DE"}},
		"IPLocate": {entryOf{
			"country_code": text("DE"), "asn": text("64496"), "name": text("EXAMPLE"), "org": text("Example GmbH"),
		}, report.Source{Country: "DE", ASN: 64496, ASName: "EXAMPLE"}},
		"small letters":            {entryOf{"country_code": text("de"), "asn": text("as64496")}, report.Source{Country: "DE", ASN: 64496}},
		"a name without a number":  {entryOf{"as_name": text("Example"), "name": text("Example")}, report.Source{}},
		"no code":                  {entryOf{"country": text("Germany"), "country_code": text("49")}, report.Source{}},
		"country not known":        {entryOf{"country_code": text("ZZ")}, report.Source{}},
		"other types":              {entryOf{"country": number32(49), "country_code": entryOf{}, "asn": entryOf{"x": text("1")}, "traits": text("x")}, report.Source{}},
		"no number":                {entryOf{"asn": text("AS4294967296"), "as_name": text("Example")}, report.Source{}},
		"number 0 is none":         {entryOf{"asn": text("AS0"), "as_name": text("Example")}, report.Source{}},
		"a number of 64 bits":      {entryOf{"asn": mmdbtype.Uint64(1 << 40)}, report.Source{}},
		"a number of 16 bits":      {entryOf{"autonomous_system_number": mmdbtype.Uint16(64496)}, report.Source{ASN: 64496}},
		"a name beyond all bounds": {entryOf{"asn": text("AS1"), "as_name": text(strings.Repeat("x", maxName+1))}, report.Source{ASN: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.mmdb")
			write(t, path, map[string]mmdbtype.DataType{
				"192.0.2.0/24": test.entry,
				"2001:db8::/32": entryOf{"country": entryOf{"iso_code": text("SE")}, "autonomous_system_number": number32(64497),
					"autonomous_system_organization": text("IPv6")},
			})
			e, err := New(Config{CountryFile: path, ASNFile: path}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := sourceOf(t, e, "192.0.2.1"); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if got, want := sourceOf(t, e, "2001:db8::1"), (report.Source{Country: "SE", ASN: 64497, ASName: "IPv6"}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			for _, ip := range []string{"198.51.100.1", "", "not an address"} {
				if got := sourceOf(t, e, ip); got != (report.Source{}) {
					t.Errorf("%q: %+v", ip, got)
				}
			}
			if e.Asks() {
				t.Error("files ask the DNS")
			}
		})
	}
}

// Only what a file is named for is read from it.
func TestFilesApart(t *testing.T) {
	dir := t.TempDir()
	country, asn := filepath.Join(dir, "country.mmdb"), filepath.Join(dir, "asn.mmdb")
	write(t, country, map[string]mmdbtype.DataType{"192.0.2.0/24": entryOf{"country_code": text("DE"), "asn": text("AS1")}})
	write(t, asn, map[string]mmdbtype.DataType{"192.0.2.0/24": entryOf{"country_code": text("FR"), "asn": text("AS2")}})
	for _, test := range []struct {
		config Config
		want   report.Source
	}{
		{Config{CountryFile: country}, report.Source{Country: "DE"}},
		{Config{ASNFile: asn}, report.Source{ASN: 2}},
		{Config{CountryFile: country, ASNFile: asn}, report.Source{Country: "DE", ASN: 2}},
	} {
		e, err := New(test.config, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := sourceOf(t, e, "192.0.2.1"); got != test.want {
			t.Errorf("%+v: got %+v, want %+v", test.config, got, test.want)
		}
	}
}
