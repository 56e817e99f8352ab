package trust

import (
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// intake is what a provider wrote into the header of a message when it received it.
type intake struct {
	found   bool   // the fields above are its word
	ip      string // from which it came
	results []authResults
}

// intakeOf reads the fields above the hop at which the hosts of a provider, which are
// domains, received the message. The fields below it came with the message. If that hop
// is in doubt, it returns nothing. A hop is in doubt
//
//   - if its sender has only a name of the provider, and an address in the Internet:
//     anybody can take such a name, and write the hops below,
//   - if some of its words may be the client's,
//   - if a user of the provider may have submitted the message there.
func intakeOf(h *report.Header, hosts []string) (in intake) {
	inner := false
	for i := range h.Len() {
		switch name := h.Name(i); {
		case strings.EqualFold(name, "authentication-results"):
			if a := parseResults(h.Value(i)); a.id == "" || covered(hosts, a.id) {
				in.results = append(in.results, a)
			}
		case strings.EqualFold(name, "received"):
			hop := message.ReadHop(h.Value(i))
			inside, known := hop.IsWithin(hosts)
			switch {
			case hop.Queue:
			case !covered(hosts, hop.By) && !(inner && message.IsPrivate(hop.By)):
				return intake{}
			case !known:
				return intake{}
			case inside:
				inner = true
			default:
				if in.found = true; !message.IsPrivate(hop.IP) {
					in.ip = hop.IP
				}
				return in
			}
		}
	}
	return intake{}
}
