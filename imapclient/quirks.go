package imapclient

import "sync/atomic"

// Quirks holds what sessions learn of one server. Give the sessions of an account
// the same Quirks, so that each thing is learned once. The zero value is ready;
// any number of sessions may share it.
type Quirks struct {
	doneAlone atomic.Bool // a command in one write with DONE is lost
	readsOn   atomic.Bool // a command in one write with another one is answered
	apart     atomic.Bool // but not what comes in one write with NOOP
	babbles   atomic.Bool // a person was told of needless EXISTS lines
	words     words       // of the server
	rings     atomic.Bool // IDLE told of news
}

// Rings tells whether the server was ever heard to tell of news in IDLE. Some
// offer IDLE and say nothing before its end.
func (q *Quirks) Rings() bool { return q.rings.Load() }
