package remote

import (
	"net/netip"
	"slices"
)

// special are the prefixes without public hosts (RFC 6890, and the IANA registries of
// special-purpose addresses).
var special = prefixes(
	"0.0.0.0/8",
	"10.0.0.0/8",      // RFC 1918
	"100.64.0.0/10",   // RFC 6598
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // RFC 3927
	"172.16.0.0/12",   // RFC 1918
	"192.0.0.0/24",    // RFC 6890
	"192.0.2.0/24",    // RFC 5737
	"192.88.99.0/24",  // RFC 7526: 6to4 relays
	"192.168.0.0/16",  // RFC 1918
	"198.18.0.0/15",   // RFC 2544
	"198.51.100.0/24", // RFC 5737
	"203.0.113.0/24",  // RFC 5737
	"224.0.0.0/3",     // multicast and reserved

	"2001::/23",     // RFC 2928, with Teredo and ORCHID
	"2002::/16",     // RFC 3056: 6to4 leads to any IPv4 address
	"2001:db8::/32", // RFC 3849
	"3fff::/20",     // RFC 9637
)

// unicast is the part of IPv6 that is assigned (RFC 4291 section 2.4).
var unicast = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// IsPublic reports whether ip may belong to a host on the Internet. Forms that hold an
// IPv4 address (mapped, 6to4, NAT64 by RFC 6052 section 2.1 and RFC 8215) never do.
func IsPublic(ip netip.Addr) bool {
	if !ip.IsValid() || ip.Is6() && !unicast.Contains(ip) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}
