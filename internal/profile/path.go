package profile

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// Path is what is added to a URL's path, perhaps with a query. {KEY} stands for a value
// of the record, by its key. A value cannot leave its place: whatever it holds, the host
// and the number of segments and parameters stay.
type Path []pathPiece

// pathPiece is text, or a key if text is "".
type pathPiece struct {
	text, key string
	query     bool // it is behind the ?
}

// The errors never hold a piece of the path: it may be a secret.
var (
	errPathBrace   = errors.New("holds a brace that is not closed, or not opened")
	errPathKey     = errors.New("names a key that no record has, or one without a single value")
	errPathControl = errors.New("holds a blank or a control character; write %20 for a blank")
	errPathStart   = errors.New("begins with neither / nor ?")
	errPathURL     = errors.New("is no path below the URL: leave out scheme, host and #")
	errPathDots    = errors.New("has a segment of dots")
)

// errValue is about a record whose value would leave its place in a path.
var errValue = errors.New("a value of the record is no single segment of a path")

// ParsePath reads a path.
func ParsePath(text string) (Path, error) {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, errPathControl
	}
	if text != "" && text[0] != '/' && text[0] != '?' {
		return nil, errPathStart
	}
	if strings.HasPrefix(text, "//") || strings.ContainsAny(text, `#\`) || strings.Contains(strings.SplitN(text, "?", 2)[0], "://") {
		return nil, errPathURL
	}
	var p Path
	query := false
	for rest := text; rest != ""; {
		open := strings.IndexAny(rest, "{}")
		before := rest
		if open >= 0 {
			before = rest[:open]
		}
		if before != "" {
			query = query || strings.Contains(before, "?")
			p = append(p, pathPiece{text: before, query: query})
		}
		if open < 0 {
			break
		}
		end := strings.IndexAny(rest[open+1:], "{}") + open + 1
		if rest[open] != '{' || end == open || rest[end] != '}' {
			return nil, errPathBrace
		}
		key := rest[open+1 : end]
		if _, known := sample().text(key); !known {
			return nil, errPathKey
		}
		p = append(p, pathPiece{key: key, query: query})
		rest = rest[end+1:]
	}
	plain, err := p.fill(func(string) (string, bool) { return "x", true })
	if err != nil {
		return nil, errPathDots
	}
	if _, err := url.Parse("http://host.example/" + strings.TrimPrefix(plain, "/")); err != nil {
		return nil, errPathURL
	}
	return p, nil
}

// Fixed reports whether the path holds no value.
func (p Path) Fixed() bool {
	return !slices.ContainsFunc(p, func(piece pathPiece) bool { return piece.key != "" })
}

// Start is the part of the path before the segment of the first value, without a query.
func (p Path) Start() string {
	if len(p) == 0 || p[0].key != "" {
		return ""
	}
	start, _, _ := strings.Cut(p[0].text, "?")
	if !p.Fixed() && !p[0].query {
		start = start[:strings.LastIndexByte(start, '/')+1]
	}
	return start
}

// Of returns the path with the values of an item, or why it has none, in a few words.
func (p Path) Of(item *delivery.Item) (path, skip string) {
	if p.Fixed() {
		path, err := p.fill(nil)
		if err != nil {
			return "", err.Error()
		}
		return path, ""
	}
	f, err := fieldsOf(item)
	if err != nil {
		return "", "the record cannot be read"
	}
	path, missing, err := p.expand(f)
	switch {
	case missing != "":
		return "", skipNoSuchKey + missing
	case err != nil:
		return "", err.Error()
	}
	return path, ""
}

// expand puts the record's values in. missing is a key that it lacks.
func (p Path) expand(f fields) (path, missing string, err error) {
	path, err = p.fill(func(key string) (string, bool) {
		value, ok := f.text(key)
		if !ok && missing == "" {
			missing = key
		}
		return value, ok
	})
	return path, missing, err
}

func (p Path) fill(value func(key string) (string, bool)) (string, error) {
	var b strings.Builder
	for _, piece := range p {
		if piece.key == "" {
			b.WriteString(piece.text)
			continue
		}
		v, _ := value(piece.key)
		if piece.query {
			b.WriteString(url.QueryEscape(v))
			continue
		}
		// A server may decode before it looks for segments.
		if segments := strings.FieldsFunc(v, func(r rune) bool { return r == '/' || r == '\\' }); slices.ContainsFunc(segments, dots) {
			return "", errValue
		}
		b.WriteString(url.PathEscape(v))
	}
	path := b.String()
	segments, _, _ := strings.Cut(path, "?")
	if slices.ContainsFunc(strings.Split(segments, "/"), dots) {
		return "", errValue
	}
	return path, nil
}

// dots reports whether a segment of a path is . or .., which lead elsewhere.
func dots(segment string) bool {
	if decoded, err := url.PathUnescape(segment); err == nil {
		segment = decoded
	}
	return segment == "." || segment == ".."
}
