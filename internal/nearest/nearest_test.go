package nearest

import "testing"

func TestNearest(t *testing.T) {
	words := []string{"parse", "records", "password", "password_file", "password_command"}
	for word, want := range map[string]string{
		"prase": "parse", "PARSE": "parse", "record": "records", "recrods": "records", "pasword_file": "password_file",
		"passwort": "password", "sweep": "", "": "", "x": "",
	} {
		if got := Word(word, words); got != want {
			t.Errorf("Word(%q) = %q, want %q", word, got, want)
		}
	}
}
