package report

import "net/netip"

func isInner(h *Hop) bool {
	addr, err := netip.ParseAddr(h.IP)
	if err != nil {
		return false
	}
	for _, net := range innerNets {
		if net.Contains(addr) {
			return true
		}
	}
	return false
}

// innerNets are public addresses that hosts of a provider have among each
// other: Exchange Online's, by region.
var innerNets = []netip.Prefix{
	netip.MustParsePrefix("2603:1096::/32"), netip.MustParsePrefix("2603:10a6::/32"),
	netip.MustParsePrefix("2603:10b6::/32"), netip.MustParsePrefix("2603:10c6::/32"),
}
