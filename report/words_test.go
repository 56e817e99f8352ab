package report

import "testing"

// TestOwnWords: what names something is no word of the text; what only looks like
// it is.
func TestOwnWords(t *testing.T) {
	for text, want := range map[string]string{
		"phishing page http://bad.example.org/signin/ today":     "phishing page   today",
		"see hxxps://bad[.]example[.]org/invoice.php?a=recovery": "see  ",
		"bad[.]example[.]org/signin":                             " ",
		"from newsletter@signin.example.com, thanks":             "from  , thanks",
		"<a@spam.example> \"invoice.pdf\"":                       "< > \" \"",
		"/var/www/html/signin/index.php was hacked":              "  was hacked",
		`c:\users\invoice\spam.exe is a virus`:                   "  is a virus",
		"[spam.example #12345] abuse":                            "[  #12345] abuse",
		"host:signin.example.net:8080 attacks":                   "  attacks",
		"192.0.2.4 sends spam":                                   "  sends spam",
		"malware/botnet and spam/phishing. stop":                 "malware/botnet and spam/phishing. stop",
		"we saw spam.please stop, e.g. now...":                   "we saw spam.please stop, e.g. now...",
		"version 2.10 of abuse@ and and/or":                      "version 2.10 of abuse@ and and/or",
		"line one\r\nhttp://x.example/\r\nline two":              "line one\r\n \r\nline two",
		"missbrauch: schädling.de/anmelden":                      "missbrauch:  ",
	} {
		if got := ownWords(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
