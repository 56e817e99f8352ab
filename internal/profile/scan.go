package profile

import "bytes"

// members calls each with the names, in their quotes, of the members of a JSON object, and
// where their values are in b. whole is false if b is no such object; what is within the
// values is not checked.
func members(b []byte, each func(name []byte, start, end int)) (whole bool) {
	i := skipBlanks(b, 0)
	if i == len(b) || b[i] != '{' {
		return false
	}
	if i = skipBlanks(b, i+1); i < len(b) && b[i] == '}' {
		return skipBlanks(b, i+1) == len(b)
	}
	for i < len(b) && b[i] == '"' {
		nameEnd := stringEnd(b, i)
		colon := skipBlanks(b, nameEnd)
		if colon >= len(b) || b[colon] != ':' {
			return false
		}
		start := skipBlanks(b, colon+1)
		end := valueEnd(b, start)
		if end == start {
			return false
		}
		each(b[i:nameEnd], start, end)
		if i = skipBlanks(b, end); i == len(b) || b[i] != ',' {
			break
		}
		i = skipBlanks(b, i+1)
	}
	return i < len(b) && b[i] == '}' && skipBlanks(b, i+1) == len(b)
}

func skipBlanks(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// valueEnd returns where the JSON value that starts at b[i] ends.
func valueEnd(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth <= 1 {
				return i + depth
			}
			depth--
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// stringEnd returns where the string ends whose quote is b[i].
func stringEnd(b []byte, i int) int {
	for i++; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b)
		}
		back := 0
		for back < n && b[i+n-1-back] == '\\' {
			back++
		}
		if i += n + 1; back%2 == 0 {
			return i
		}
	}
	return i
}
