package imapclient

import (
	"fmt"
	"log/slog"
)

// Secret is a password or token. Every form of printing, logging and marshalling
// gives "<secret>". Only Reveal returns the text.
type Secret string

const hidden = "<secret>"

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string               { return hidden }
func (s Secret) GoString() string             { return hidden }
func (s Secret) Format(f fmt.State, _ rune)   { fmt.Fprint(f, hidden) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
func (s Secret) MarshalYAML() (any, error)    { return hidden, nil }
