package settings

// Error is a mistake in the config, or in a file that it names.
type Error struct {
	Err    error
	Advice string // what to do about it; may be empty
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do about the mistake, or is empty.
func (e *Error) Hint() string { return e.Advice }

// advised is an error that knows what to do about it.
type advised struct {
	error
	hint string
}

func (a advised) Unwrap() error { return a.error }
func (a advised) Hint() string  { return a.hint }
