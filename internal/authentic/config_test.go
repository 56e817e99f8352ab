package authentic

import (
	"testing"
	"time"
)

func TestValidate(t *testing.T) {
	if err := config.Validate(); err != nil {
		t.Error(err)
	}
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	for want, c := range map[string]Config{
		`own.domains: "com" is not a domain`:                      {Own: Own{Domains: []string{"com"}}},
		`own.domains: "*.example.com" is not a domain`:            {Own: Own{Domains: []string{"*.example.com"}}},
		`own.domains: "CO.UK." is not a domain`:                   {Own: Own{Domains: []string{"example.co.uk", "CO.UK."}}},
		`reporters: "com.br" is not a domain or an address`:       {Reporters: []string{"a@com.br.example", "com.br"}},
		`own.ips: "0.0.0.0/0" is not an address or a prefix`:      {Own: Own{IPs: []string{"0.0.0.0/0"}}},
		`own.ips: "192.0.2.0/33" is not an address or a prefix`:   {Own: Own{IPs: []string{"192.0.2.0/33"}}},
		`authserv_ids: "" is not a server's name`:                 {AuthservIDs: []string{""}},
		`hops: "mx a" is not a server's name`:                     {Hops: []string{"mx a"}},
		`reporters: "@example.com" is not a domain or an address`: {Reporters: []string{"a@example.com", "b.example", "@example.com"}},
		`arc_sealers: "a@example.com" is not a domain`:            {ARCSealers: []string{"a@example.com"}},
		`timeout: -1s is not between 0 and 1m0s`:                  {Timeout: -time.Second},
		`timeout: 1h0m0s is not between 0 and 1m0s`:               {Timeout: time.Hour},
	} {
		err := c.Validate()
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := New(c, nil, nil); err == nil || err.Error() != want {
			t.Errorf("New: %v", err)
		}
	}
}
