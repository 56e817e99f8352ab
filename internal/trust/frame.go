package trust

import (
	"github.com/fblwatch/fblwatch/internal/message"
)

// Where Content-Type is not signed, the body of a genuine report can be made to
// speak with the voice of a message within it. Trust asks the reader of the report
// itself by what boundary it splits the body, and believes only what no reader can
// split otherwise: see report.Frame. The signer's own delimiter is the first line of
// the body, or follows its preamble, so what the reported message holds is never
// a delimiter.

// frame is how the report is read from the body.
func (m *signable) frame() *message.Frame {
	if m.framed == nil {
		value := func(name string) string {
			if fields := m.named(name); len(fields) > 0 { // one at most, see doubled
				return fields[0].value()
			}
			return ""
		}
		f := message.FrameOf(value("content-type"), value("content-transfer-encoding"), m.body)
		m.framed = &f
	}
	return m.framed
}
