package main

import (
	"context"
	"runtime"

	"github.com/fblwatch/fblwatch/internal/mailfile"
)

// batch is some mails on their way from the disk to the output.
type batch struct {
	mails  []mailfile.Mail // their Body is in data
	data   []byte
	out    []byte
	err    error // of a file, behind the mails
	upTo   int   // mails so far, these included
	octets int64 // the same in octets
	done   chan struct{}
}

const (
	batchSize = 256 << 10 // octets; a mail may exceed it
	batchKeep = 1 << 20   // larger buffers go back to the collector
)

func (b *batch) add(m mailfile.Mail) {
	start := len(b.data)
	b.data = append(b.data, m.Body...)
	m.Body = b.data[start:]
	b.mails = append(b.mails, m)
}

// full batches get no more mails; nor does one with an error, which is behind
// its mails.
func (b *batch) full() bool { return len(b.data) >= batchSize || b.err != nil }

func (b *batch) reset() {
	if cap(b.data) > batchKeep {
		b.data = nil
	}
	if cap(b.out) > batchKeep {
		b.out = nil
	}
	*b = batch{mails: b.mails[:0], data: b.data[:0], out: b.out[:0], done: make(chan struct{})}
}

// readMails reads the mails at paths, encodes each on any core, and hands the
// batches to write in the order of the mails; more says that the next batch is
// ready already. Batches are as small as the encoders are quick, so that mails
// from a slow pipe come out at once. It returns write's error or ctx's.
//
// A reader that is blocked in standard input outlives the end of ctx.
func readMails(ctx context.Context, paths []string, read mailReader, encode func([]byte, mailfile.Mail) []byte, write func(b *batch, more bool) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	workers := runtime.GOMAXPROCS(0)
	inFlight := workers + 2
	free := make(chan *batch, inFlight) // bounds the memory
	work := make(chan *batch, 1)
	ordered := make(chan *batch, inFlight)
	for range inFlight {
		b := new(batch)
		b.reset()
		free <- b
	}
	for range workers {
		go func() {
			for b := range work {
				for _, m := range b.mails {
					b.out = encode(b.out, m)
				}
				close(b.done)
			}
		}()
	}
	go func() {
		defer close(ordered)
		defer close(work)
		divide(ctx, paths, read, free, work, ordered)
	}()

	for {
		select {
		case b, ok := <-ordered:
			if !ok {
				return ctx.Err()
			}
			<-b.done
			if err := write(b, len(ordered) > 0); err != nil {
				return err
			}
			b.reset()
			free <- b
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// divide fills batches with mails. Each lies in work from its first mail on, for
// whoever is free to take it, and until then it is filled further.
func divide(ctx context.Context, paths []string, read mailReader, free <-chan *batch, work chan *batch, ordered chan<- *batch) {
	mails, octets := 0, int64(0)
	readAll(ctx, paths, read, func(m mailfile.Mail, err error) bool {
		var b *batch
		select {
		case b = <-work: // nobody has taken it yet
			if b.full() {
				work <- b // has room: nobody else puts any in
				b = nil
			}
		default:
		}
		if b == nil {
			select {
			case b = <-free:
			case <-ctx.Done():
				return false
			}
			ordered <- b // has room for every batch
		}
		if err == nil {
			mails++
			octets += m.Size
			b.add(m)
		}
		b.err, b.upTo, b.octets = err, mails, octets
		select {
		case work <- b:
			return true
		case <-ctx.Done():
			return false
		}
	})
}
