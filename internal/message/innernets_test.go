package message

import (
	"os"
	"strings"
	"testing"
)

// TestInnerNets: a hop within Exchange Online is one; a message that comes from
// another customer's part of it, or from somebody who only says so, comes from
// outside.
func TestInnerNets(t *testing.T) {
	const (
		front = "A.namprd03.prod.outlook.com"
		mx    = "A.mail.protection.outlook.com (10.167.0.1) with Microsoft SMTP Server"
		cafe  = "B.outlook.office365.com (2603:1036:903:47::9) with Microsoft SMTP Server"
	)
	for value, want := range map[string]bool{
		front + " (2a01:111:f403:f910::1) by " + cafe:                                                            true,
		"A.eop-nam11.prod.protection.outlook.com (2a01:111:f400:7e50::203) by " + cafe:                           true,
		"A.eop-nam11.prod.protection.outlook.com (2603:10b6:408:fd:cafe::d0) by " + cafe:                         true,
		"B.namprd07.prod.outlook.com (2603:10b6:518:1::7) by C.namprd12.prod.outlook.com with HTTPS":             true,
		"B.LAMP152.PROD.OUTLOOK.COM (2603:10d6:10:29::16) by C.namprd12.prod.outlook.com (2603:10b6::1)":         true,
		"B.ZAFP275.PROD.OUTLOOK.COM (2603:1086:0:3::29) by C.eurprd10.prod.outlook.com (2603:10a6::1)":           true,
		"B.prod.exchangelabs.com (2603:10b6:208:23f::12) by C.namprd12.prod.outlook.com (2603:10b6::1)":          true,
		"B.namprd07.prod.outlook.com (::1) by C.namprd12.prod.outlook.com with HTTPS":                            true,
		"B.namprd07.prod.outlook.com ([fe80::1]) by B.namprd07.prod.outlook.com ([fe80::1%4]) with mapi id 15":   false,
		"NAM11-BN8-obe.outbound.protection.outlook.com (2a01:111:f403:c101::7) by " + mx:                         false,
		"NAM11-BN8-obe.outbound.protection.outlook.com (2a01:111:f403:c101::7) by " + cafe:                       false,
		"NAM11-BN8-obe.outbound.protection.outlook.com (2a01:111:f403:c101::7) by A.prod.protection.outlook.com": false,
		front + " (2a01:111:f403:f910::1) by " + mx:                                                              false,
		front + " (2a01:111:f403:f910::1) by C.namprd12.prod.outlook.com (2603:10b6::1)":                         false,
		front + " (2603:10b6:518:1::7) by " + mx:                                                                 false,
		front + " (2603:10b7:518:1::7) by " + cafe:                                                               false,
		front + " (203.0.113.9) by " + cafe:                                                                      false,
		"mail.hotmail.com (2603:10b6:518:1::7) by " + cafe:                                                       false,
		front + " (x.example [2603:10b6:518:1::7]) by " + cafe:                                                   false,
	} {
		h := ReadHop("from " + value + "; Mon, 6 Jul 2026 09:58:13 +0000")
		if inside, known := h.IsWithin([]string{"hotmail.com", "outlook.com", "office365.com", "prod.exchangelabs.com"}); inside != want || known != want {
			t.Errorf("%s: inside %v, known %v, want %v: %+v", value, inside, known, want, h)
		}
	}
}

// TestInnerNetsPage: providers.md has a row for each.
func TestInnerNetsPage(t *testing.T) {
	page, err := os.ReadFile("../../providers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range innerNets {
		customers := "no"
		if row.customers {
			customers = "yes"
		}
		if want := "| " + row.net.String() + " | " + customers + " |"; !strings.Contains(string(page), want) {
			t.Errorf("no row %q", want)
		}
	}
}
