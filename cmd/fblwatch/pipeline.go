package main

import (
	"context"
	"runtime"

	"github.com/fblwatch/fblwatch/internal/mailfile"
)

// batch is some messages on their way from the disk to the output.
type batch struct {
	messages []mailfile.Message // their Body is in data
	data     []byte
	out      []byte
	err      error // of a file, after the messages
	upTo     int   // messages so far, these included
	octets   int64 // the same in octets
	done     chan struct{}
}

const (
	batchSize = 256 << 10 // octets; a message may exceed it
	batchKeep = 1 << 20   // larger buffers go back to the collector
)

func (b *batch) add(m mailfile.Message) {
	start := len(b.data)
	b.data = append(b.data, m.Body...)
	m.Body = b.data[start:]
	b.messages = append(b.messages, m)
}

// full reports whether the batch takes no more messages: it is large enough, or has
// an error, which follows its messages.
func (b *batch) full() bool { return len(b.data) >= batchSize || b.err != nil }

func (b *batch) reset() {
	if cap(b.data) > batchKeep {
		b.data = nil
	}
	if cap(b.out) > batchKeep {
		b.out = nil
	}
	*b = batch{messages: b.messages[:0], data: b.data[:0], out: b.out[:0], done: make(chan struct{})}
}

// readMessages reads the messages at paths, encodes each on any core, where encoder makes
// one worker's way to do so, and hands the batches to write in the order of the messages. more reports whether the next batch
// is ready. The faster the encoders, the smaller the batches: messages from a slow
// pipe come out at once. It returns write's error or ctx's.
//
// A reader that is blocked in standard input outlives the end of ctx.
func readMessages(ctx context.Context, paths []string, read messageReader, encoder func() func([]byte, mailfile.Message) []byte, write func(b *batch, more bool) error) error {
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
			encode := encoder()
			for b := range work {
				for _, m := range b.messages {
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

// divide fills batches with messages. A batch is in work from its first message on, and
// is filled further until a worker takes it.
func divide(ctx context.Context, paths []string, read messageReader, free <-chan *batch, work chan *batch, ordered chan<- *batch) {
	messages, octets := 0, int64(0)
	readAll(ctx, paths, read, func(m mailfile.Message, err error) bool {
		var b *batch
		select {
		case b = <-work: // no worker has taken it yet
			if b.full() {
				work <- b // has room: only divide fills it
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
			messages++
			octets += m.Size
			b.add(m)
		}
		b.err, b.upTo, b.octets = err, messages, octets
		select {
		case work <- b:
			return true
		case <-ctx.Done():
			return false
		}
	})
}
