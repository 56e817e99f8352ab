package imapclient

import "sync/atomic"

// Quirks is what sessions learn about one server. Give all sessions of an account
// the same Quirks, so that each thing is learned once. The zero value is ready.
// Sessions on different goroutines may share it.
type Quirks struct {
	doneAlone atomic.Bool // the server loses a command in one write with DONE
	readsOn   atomic.Bool // the server answers two commands in one write
	apart     atomic.Bool // but loses what comes in one write with NOOP
	babbles   atomic.Bool // a Handler was warned of needless EXISTS lines
	words     words       // limits the server's words
	rings     atomic.Bool // IDLE has reported news
}

// Rings reports whether the server has ever reported news during IDLE. Some servers
// offer IDLE and report nothing before its end.
func (q *Quirks) Rings() bool { return q.rings.Load() }
