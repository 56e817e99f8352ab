package callbacks

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Slog returns a Handler that logs the events. nil means [slog.Default].
//
//   - Log: at [slog.LevelWarn] for Warn and Parse, at [slog.LevelError] for Error,
//     otherwise at [slog.LevelInfo].
//   - Notify: the same, but an [ALERT] at LevelWarn at least, and other texts of
//     level Info at [slog.LevelDebug].
//   - Expunged: at LevelInfo, at most 20 a minute; then the number of the rest.
//   - All other events, and the lines of Debug: at LevelDebug.
//
// Keys are account, folder, uid, seq, code, kind, flags, attrs, messages and uidnext.
// Log and Debug have none. A value that is not known is left out. One Handler may
// serve several sessions on different goroutines.
func Slog(logger *slog.Logger) Handler {
	if logger == nil {
		logger = slog.Default()
	}
	return &logHandler{logger: logger}
}

type logHandler struct {
	Nop
	logger *slog.Logger

	mu    sync.Mutex
	since time.Time // start of the minute
	gone  int       // messages expunged since then
}

const expungedMost = 20 // expunged messages that are logged one by one in a minute

// severity is the level of slog for l. A Bye is an Info, because sessions end.
func severity(l Level) slog.Level {
	switch l {
	case Warn, Parse:
		return slog.LevelWarn
	case Error:
		return slog.LevelError
	}
	return slog.LevelInfo
}

func (h *logHandler) log(level slog.Level, m Mailbox, text string, args ...slog.Attr) {
	ctx := context.Background()
	if !h.logger.Enabled(ctx, level) {
		return
	}
	var attrs []slog.Attr
	if m.Account != "" {
		attrs = append(attrs, slog.String("account", m.Account))
	}
	if m.Name != "" {
		attrs = append(attrs, slog.String("folder", m.Name))
	}
	h.logger.LogAttrs(ctx, level, text, append(attrs, args...)...)
}

// number is an attribute, or an empty one if n is 0, which means not known.
func number(key string, n uint32) slog.Attr {
	if n == 0 {
		return slog.Attr{}
	}
	return slog.Uint64(key, uint64(n))
}

func (h *logHandler) Exists(m Mailbox, n uint32) {
	h.log(slog.LevelDebug, m, "exists", slog.Uint64("messages", uint64(n)))
}

func (h *logHandler) Expunged(m Mailbox, seq, uid uint32) {
	h.mu.Lock()
	more := 0
	if time.Since(h.since) > time.Minute {
		more = h.gone - expungedMost
		h.since, h.gone = time.Now(), 0
	}
	h.gone++
	gone := h.gone
	h.mu.Unlock()
	if more > 0 {
		h.log(slog.LevelInfo, m, "more were expunged before", slog.Int("messages", more))
	}
	switch {
	case gone <= expungedMost:
		h.log(slog.LevelInfo, m, "expunged", number("seq", seq), number("uid", uid))
	case gone == expungedMost+1:
		h.log(slog.LevelInfo, m, "many are expunged; the next are counted only")
	}
}

func (h *logHandler) Flags(m Mailbox, seq, uid uint32, flags []string) {
	h.log(slog.LevelDebug, m, "flags", number("seq", seq), number("uid", uid), slog.Any("flags", flags))
}

func (h *logHandler) Searched(m Mailbox, uid uint32) {
	h.log(slog.LevelDebug, m, "searched", number("uid", uid))
}

func (h *logHandler) List(mailbox string, delim rune, attrs []string) {
	h.log(slog.LevelDebug, Mailbox{Name: mailbox}, "list", slog.Any("attrs", attrs))
}

func (h *logHandler) LSub(mailbox string, delim rune, attrs []string) {
	h.log(slog.LevelDebug, Mailbox{Name: mailbox}, "lsub", slog.Any("attrs", attrs))
}

func (h *logHandler) Status(m Mailbox, status Status) {
	var args []slog.Attr
	if status.Messages != nil {
		args = append(args, slog.Uint64("messages", uint64(*status.Messages)))
	}
	if status.UIDNext != nil {
		args = append(args, number("uidnext", *status.UIDNext))
	}
	h.log(slog.LevelDebug, m, "status", args...)
}

// Notify logs an [ALERT] as a warning, because people must see it (RFC 9051 section
// 7.1), and capabilities and the like at debug level.
func (h *logHandler) Notify(m Mailbox, level Level, code, text string) {
	at := severity(level)
	switch {
	case strings.EqualFold(code, "ALERT"):
		at = max(at, slog.LevelWarn)
	case level == Info:
		at = slog.LevelDebug
	}
	args := []slog.Attr{slog.String("kind", level.String())}
	if code != "" {
		args = append(args, slog.String("code", code))
	}
	h.log(at, m, "server says: "+text, args...)
}

func (h *logHandler) Log(level Level, text string) { h.log(severity(level), Mailbox{}, text) }

func (h *logHandler) Debug(line string) { h.log(slog.LevelDebug, Mailbox{}, line) }

func (h *logHandler) Critical(m Mailbox)   { h.log(slog.LevelDebug, m, "critical") }
func (h *logHandler) NoCritical(m Mailbox) { h.log(slog.LevelDebug, m, "no critical") }
