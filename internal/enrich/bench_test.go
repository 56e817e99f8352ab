package enrich

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// BenchmarkRecords measures one report's record, with what Parse and Records of
// the report itself take as the reference.
func BenchmarkRecords(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.mmdb")
	networks := map[string]mmdbtype.DataType{}
	for i := range 256 {
		names := entryOf{}
		for _, language := range []text{"de", "en", "es", "fr", "ja", "pt-BR", "ru", "zh-CN"} {
			names[language] = text(fmt.Sprintf("Land %d", i))
		}
		networks[fmt.Sprintf("192.0.2.%d/32", i)] = entryOf{
			"country":                  entryOf{"iso_code": text("DE"), "geoname_id": number32(2921044), "names": names},
			"autonomous_system_number": number32(64496 + i), "autonomous_system_organization": text(fmt.Sprintf("Example %d", i)),
		}
	}
	write(b, path, networks)
	message := sample.Report(1, 5000)
	b.Run("reference", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			report.Parse(message).Records(report.Envelope{})
		}
	})
	z := &zone{names: map[string][]string{public4: {"mail.example.com."}}, hosts: map[string]string{"mail.example.com.": public4}}
	for _, bench := range []struct {
		name   string
		ip     string
		config Config
	}{
		{"off", "192.0.2.1", Config{}},
		{"files", "192.0.2.1", Config{CountryFile: path, ASNFile: path}},
		{"kept name", public4, Config{ReverseDNS: true}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			e, err := New(bench.config, z)
			if err != nil {
				b.Fatal(err)
			}
			records := []report.Record{{SourceIP: bench.ip}}
			b.ReportAllocs()
			for b.Loop() {
				records[0].Source = nil
				e.Records(b.Context(), records)
			}
			if off := e == nil; off != (records[0].Source == nil) {
				b.Errorf("%+v", records[0].Source)
			}
		})
	}
}

// What is off costs nothing.
func TestOffAllocatesNothing(t *testing.T) {
	var e *Enricher
	records := []report.Record{{SourceIP: "192.0.2.1"}}
	if n := testing.AllocsPerRun(100, func() { e.Records(t.Context(), records) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
