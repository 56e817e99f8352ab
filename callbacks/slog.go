package callbacks

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Slog returns a Handler that logs what a person may have to act on: Notify and
// Log, by their level, and expunged messages (the first of each minute); other events and the protocol lines
// of Debug at [slog.LevelDebug]. A nil logger is [slog.Default].
//
// Keys are account, folder, uid, seq, code and what the event counts; account
// and folder only where the event has a Mailbox, which Log and Debug have not.
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
	since time.Time // of the minute of expungedMost
	gone  int       // expunged since then
}

const expungedMost = 20 // expunged messages that are logged in a minute; beyond, their number is

// severity is the slog level of ours. A BYE is an Info: sessions end.
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

// number leaves out what is not known.
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
		h.log(slog.LevelInfo, m, "expunged before, and not logged", slog.Int("messages", more))
	}
	switch {
	case gone <= expungedMost:
		h.log(slog.LevelInfo, m, "expunged", number("seq", seq), number("uid", uid))
	case gone == expungedMost+1:
		h.log(slog.LevelInfo, m, "many are expunged: not logged one by one for a minute")
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

// Notify logs an [ALERT] as a warning, which is for the person to see (RFC 9051
// section 7.1), and capabilities and the like at debug level.
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
