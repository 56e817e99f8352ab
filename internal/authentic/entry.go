package authentic

import (
	"net/netip"

	"github.com/fblwatch/fblwatch/report"
)

// entry is what a provider wrote into the header of a mail when it took it in.
type entry struct {
	ip      string // from which it came
	results []authResults
}

// innerNets are public addresses that hosts of a provider have among each
// other: Exchange Online's, by region.
var innerNets = []netip.Prefix{
	netip.MustParsePrefix("2603:1096::/32"), netip.MustParsePrefix("2603:10a6::/32"),
	netip.MustParsePrefix("2603:10b6::/32"), netip.MustParsePrefix("2603:10c6::/32"),
}

// enter reads what stands above the hop at which the hosts of a provider, which
// are domains, took the mail in; nothing where that hop is in doubt. What stands
// below it came with the mail. A hop whose sender only calls itself by a name of
// the provider's, from an address in the Internet, is in doubt: so could
// anybody, and write the hops below it.
func enter(h *report.Header, hosts []string) (e entry) {
	inner := false
	for name, v := range h.Fields() {
		switch name {
		case "authentication-results":
			if a := parseResults(v); a.id == "" || covered(hosts, a.id) {
				e.results = append(e.results, a)
			}
		case "received":
			hop := report.ReadHop(v)
			switch {
			case !covered(hosts, hop.By) && !(inner && report.IsPrivate(hop.By)):
				return entry{}
			case !hop.Relayed:
			case !hop.IsWithin(hosts):
				if !report.IsPrivate(hop.IP) {
					e.ip = hop.IP
				}
				return e
			case !report.IsPrivate(hop.IP) && !isInner(hop.IP):
				return entry{}
			default:
				inner = true
			}
		}
	}
	return entry{}
}

func isInner(ip string) bool {
	addr, err := netip.ParseAddr(ip)
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
