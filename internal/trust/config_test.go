package trust

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
	for _, test := range []struct {
		want string
		c    Config
	}{
		{`own.domains[0] is not a domain`, Config{Own: Own{Domains: []string{"com"}}}},
		{`own.domains[0] has a "*": "example.com" is also every domain below it`, Config{Own: Own{Domains: []string{"*.example.com"}}}},
		{`reporters[0] has a "*": "example.com" is also every domain below it`, Config{Reporters: []string{"*.example.com"}}},
		{`own.domains[1] is not a domain`, Config{Own: Own{Domains: []string{"example.co.uk", "CO.UK."}}}},
		{`reporters[1] is not a domain or an address`, Config{Reporters: []string{"a@com.br.example", "com.br"}}},
		{`own.ips[0] is every address: list those that you send from`, Config{Own: Own{IPs: []string{"0.0.0.0/0"}}}},
		{`own.ips[0] is not an address or a prefix`, Config{Own: Own{IPs: []string{"192.0.2.0/33"}}}},
		{`authserv_ids[0] is not a server's name`, Config{AuthservIDs: []string{""}}},
		{`hops[0] is not a server's name`, Config{Hops: []string{"mx a"}}},
		{`reporters[2] is not a domain or an address`, Config{Reporters: []string{"a@example.com", "b.example", "@example.com"}}},
		{`reporters[1] is a domain at which anybody can have a mailbox: name the address that reports, such as fbl@mail.ru`, Config{Reporters: []string{"fbl@mail.ru", "Mail.RU."}}},
		{`reporters[0] is a domain with which Amazon SNS signs for every owner of a topic: its notifications are never trusted`, Config{Reporters: []string{"no-reply@SNS.amazonaws.com"}}},
		{`reporters[1] is a domain with which Amazon SNS signs for every owner of a topic: its notifications are never trusted`, Config{Reporters: []string{"example.com", "amazonaws.com"}}},
		{`reporters[0] is a domain at which anybody can have a mailbox: name the address that reports, such as fbl@gmx.de`, Config{Reporters: []string{"gmx.de"}}},
		{`arc_sealers[0] is not a domain`, Config{ARCSealers: []string{"a@example.com"}}},
		{`timeout: -1s is not between 0 and 1m0s`, Config{Timeout: -time.Second}},
		{`timeout: 1h0m0s is not between 0 and 1m0s`, Config{Timeout: time.Hour}},
	} {
		err := test.c.Validate()
		if err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
		if _, err := New(test.c, nil, nil); err == nil || err.Error() != test.want {
			t.Errorf("New: %v", err)
		}
	}
}
