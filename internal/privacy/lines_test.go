package privacy

import "testing"

func TestHeaderEnd(t *testing.T) {
	for head, want := range map[string]int{
		"": 0, "a": 1, "\n": 1, "\n\n": 0, "\r\n\r\n": 0, "a\n\nb": 1, "a\r\n\r\nb": 1, "a\n\r\nb": 1, "a\r\n\nb": 1,
		"a\nb\n": 4, "a\nb\n\nc\n\n": 3, "a\r\r\n\r\n": 2, "a\n \n\n": 3, "a\n\r": 3, "a\n\r\rb\n\n": 5,
	} {
		if got := headerEnd([]byte(head)); got != want {
			t.Errorf("%q: %d, not %d", head, got, want)
		}
	}
}

func TestFirstFold(t *testing.T) {
	for text, want := range map[string][2]int{
		"": {0, 0}, "AAAA": {4, 4}, "AAAA\nBBBB": {4, 5}, "AAAA\r\n BBBB": {4, 7}, "AA==": {4, 4}, "AA=\r\nBB": {2, 5}, "AA==\nBB": {3, 5},
		`AA\r\nBB`: {2, 6}, `AA\nBB`: {2, 4}, `AA\`: {3, 3}, "AA=": {3, 3}, "AA BB CC": {2, 3}, "AA\n": {2, 3}, `AA\r`: {2, 4},
	} {
		if end, next := firstFold(text); end != want[0] || next != want[1] {
			t.Errorf("%q: %d, %d, not %v", text, end, next, want)
		}
	}
}

// A "&" that is escaped in JSON ends the value of a parameter, as any does.
func TestEscapedAmpersand(t *testing.T) {
	var known people
	known.add("mary.smith@example.org")
	s := (&Filter{addresses: drop}).scrubber(&known)
	for text, want := range map[string]string{
		`{"u":"https://example.net/?l=mary.smith\u0026d=example.org"}`: `{"u":"https://example.net/?l=redacted\u0026d=example.org"}`,
		`{"u":"https://example.net/?l=mary.smith\x26d=example.org"}`:   `{"u":"https://example.net/?l=redacted\x26d=example.org"}`,
		`{"u":"https://example.net/?l=mary.smith\u0061d=example.org"}`: `{"u":"https://example.net/?l=mary.smith\u0061d=example.org"}`,
	} {
		if got, ok := s.all(text); !ok || got != want {
			t.Errorf("%s", got)
		}
	}
}
