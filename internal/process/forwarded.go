package process

import (
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

// ForwardedField is the header field, and the field of the report part, of each report
// that a sink of fblwatch sends on. The value is the record's id.
const ForwardedField = "X-Fblwatch-Forwarded"

// disown makes a report of no account that a sink of this config has sent on and that
// came back: its record is in the ledger, and another one would go out again. A report
// that somebody else's fblwatch sent on is a report.
func (g Rules) disown(r *report.Report) bool {
	own := r.Kind == report.KindReport && slices.Contains(g.Forwarders, strings.ToLower(r.Outer.From)) &&
		len(r.Header(report.FromOuter).Values(ForwardedField)) > 0
	if own {
		r.Kind = report.KindOther
	}
	return own
}
