package message

import "net/netip"

// innerNet is a network of public addresses by which hosts of Exchange Online pass
// messages to each other. A client from there with a name of exchangeHosts is a host of
// Microsoft. But it may pass on a message that another customer wrote, header included.
// Between customers a message leaves by a host below outbound.protection.outlook.com and
// arrives by a host below protection.outlook.com, as from anywhere else.
type innerNet struct {
	net       netip.Prefix
	customers bool // their messages leave from here for the Internet
}

// innerNets are listed in providers.md with their evidence and its date.
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
	exchangeHosts     = []string{"prod.outlook.com", "prod.protection.outlook.com", "prod.exchangelabs.com"} // names in their HELO
	exchangeFrontends = []string{"outlook.office365.com"}                                                    // after the servers that accept messages
	exchangeBackends  = []string{"outlook.office365.com", "prod.outlook.com", "prod.exchangelabs.com"}
)

// isInner reports whether the hop is between two hosts of Exchange Online within the
// part of one customer.
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
