package survey

import (
	"slices"

	"github.com/fblwatch/fblwatch/internal/trust"
)

// Rivals are messages of an account with two Authentication-Results of one server.
type Rivals struct {
	Account, ID  string
	Messages     int
	Upper, Lower trust.Rival // of the first message
}

// mostRivals limits the list: an id can be any name below a domain.
const mostRivals = 5

// rival notes a message with two Authentication-Results of one server.
func (s *Survey) rival(message []byte, account string) {
	if s.reading.Trust == nil {
		return
	}
	id, upper, lower, ok := s.reading.Trust.Rivals(message, account)
	if !ok {
		return
	}
	i := slices.IndexFunc(s.Rivals, func(r *Rivals) bool { return r.Account == account && r.ID == id })
	if i < 0 && len(s.Rivals) < mostRivals {
		i, s.Rivals = len(s.Rivals), append(s.Rivals, &Rivals{Account: account, ID: id, Upper: upper, Lower: lower})
	}
	if i >= 0 {
		s.Rivals[i].Messages++
	}
}
