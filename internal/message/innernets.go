package message

import "net/netip"

// innerNet is public addresses by which hosts of Exchange Online hand messages on
// to each other. What greets from there by a name of exchangeHosts is a host of
// Microsoft's; but it may hand on what another customer wrote, header and all.
// Between customers a message leaves by a host below outbound.protection.outlook.com
// and comes in by one below protection.outlook.com, as from anywhere else.
type innerNet struct {
	net       netip.Prefix
	customers bool // their messages leave from here for the Internet
}

// innerNets: providers.md says by what each is known, and since when.
var innerNets = []innerNet{
	{netip.MustParsePrefix("2603:1086::/32"), false},
	{netip.MustParsePrefix("2603:1096::/32"), false},
	{netip.MustParsePrefix("2603:10a6::/32"), false},
	{netip.MustParsePrefix("2603:10b6::/32"), false},
	{netip.MustParsePrefix("2603:10c6::/32"), false},
	{netip.MustParsePrefix("2603:10d6::/32"), false},
	{netip.MustParsePrefix("2a01:111:f400::/48"), true},
	{netip.MustParsePrefix("2a01:111:f403::/48"), true},
}

var (
	exchangeHosts     = []string{"prod.outlook.com", "prod.protection.outlook.com", "prod.exchangelabs.com"} // they greet so
	exchangeFrontends = []string{"outlook.office365.com"}                                                    // behind the servers that take messages in
	exchangeBackends  = []string{"outlook.office365.com", "prod.outlook.com", "prod.exchangelabs.com"}
)

// isInner reports whether the hop is from one host of Exchange Online to the next
// within one customer's part of it.
func (h *Hop) isInner() bool {
	addr, err := netip.ParseAddr(h.IP)
	if err != nil || len(h.From) != 1 || !Within(h.From[0], exchangeHosts...) {
		return false
	}
	for _, row := range innerNets {
		if row.net.Contains(addr) {
			return Within(h.By, exchangeBackends...) && (!row.customers || Within(h.By, exchangeFrontends...))
		}
	}
	return false
}
