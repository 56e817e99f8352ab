package remote

import (
	"net/netip"
	"testing"
)

func TestIsPublic(t *testing.T) {
	for _, test := range []struct {
		public bool
		ips    []string
	}{
		{true, []string{"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.88.98.1", "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111", "2a00::1", "2001:200::1"}},
		{false, []string{"127.0.0.1", "127.255.255.254", "::1", "0.0.0.0", "0.1.2.3", "::"}},                                                         // this host
		{false, []string{"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd00::1", "fc00::1"}},                             // private
		{false, []string{"169.254.169.254", "fe80::1", "fe80::1%eth0", "fec0::1"}},                                                                   // of the link
		{false, []string{"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "ff02::1", "ff0e::1"}},                                      // multicast, reserved
		{false, []string{"::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::ffff:0:127.0.0.1"}},                                                 // IPv4 in IPv6
		{false, []string{"64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:808:808::1"}},                             // NAT64, 6to4
		{false, []string{"2001::1", "2001:db8::1", "3fff::1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.0.0.8", "192.88.99.1"}}, // special
	} {
		for _, ip := range test.ips {
			if got := IsPublic(netip.MustParseAddr(ip)); got != test.public {
				t.Errorf("%s: %v, want %v", ip, got, test.public)
			}
		}
	}
	if IsPublic(netip.Addr{}) {
		t.Error("no address is public")
	}
}
