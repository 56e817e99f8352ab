package mailfile

import "testing"

func TestFromLine(t *testing.T) {
	for _, line := range []string{
		"From fbl@example.net Mon Mar  2 06:00:00 2026",
		"From fbl@example.net Mon Mar  2 06:00:00 2026\r\n",
		"From fbl@example.net Mon Mar  2 06:00 2026\n",
		"From - Mon Mar 02 06:00:00 2026",
		"From ???@??? Mon Mar 02 06:00:00 2026",
		"From  Mon Mar  2 06:00:00 2026",
		"From 1772000000000@xxx Mon Mar 02 06:00:00 +0000 2026",
		"From fbl@example.net Mon Mar  2 06:00:00 2026 +0100",
		"From fbl@example.net Mon Mar  2 06:00:00 MET DST 2026",
		"From fbl@example.net Mon Mar  2 06:00:00 CET 2026 remote from mx",
		"From a reader with a name Mon Mar  2 06:00:00 2026",
		`From "Mon Mar 2 06:00:00 2026 in short"@example.com Tue Mar  3 06:00:00 2026`,
	} {
		if !fromLine([]byte(line)) {
			t.Errorf("not taken: %q", line)
		}
	}
	for _, line := range []string{
		"",
		"From ",
		"From",
		"From: fbl@example.net Mon Mar  2 06:00:00 2026",
		">From fbl@example.net Mon Mar  2 06:00:00 2026",
		"from fbl@example.net Mon Mar  2 06:00:00 2026",
		"From fbl@example.net",
		"From fbl@example.net Mon Mar  2 06:00:00",
		"From fbl@example.net Mon Mar  2 06:00:00 26",
		"From fbl@example.net Mon Mar  2 6:00 2026",
		"From fbl@example.net Mon Mar 222 06:00:00 2026",
		"From fbl@example.net Mun Mar  2 06:00:00 2026",
		"From fbl@example.net MonTue Mar  2 06:00:00 2026",
		"From fbl@example.net Mon onM  2 06:00:00 2026",
		"From Mon Mar 2 06:00 2026 on we are closed",
		"From fbl@example.net Mon, 2 Mar 2026 06:00:00 +0000",
		"From fbl@example.net Mon Mar  2 06:00:00 2026 2027",
	} {
		if fromLine([]byte(line)) {
			t.Errorf("taken: %q", line)
		}
	}
}
