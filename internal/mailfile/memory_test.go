package mailfile

import (
	"bytes"
	"io"
	"runtime"
	"runtime/metrics"
	"testing"
)

// TestFlatMemory reads an mbox of 1 GB, one message of it of 200 MB, and looks at
// the heap, garbage included, at every message.
func TestFlatMemory(t *testing.T) {
	box := sampleMbox(400, 25000)
	chunk := bytes.Repeat([]byte("0123456789abcde\n"), 1<<16)
	var src []io.Reader
	repeat := func(n int, b []byte) {
		for range n {
			src = append(src, bytes.NewReader(b))
		}
	}
	repeat(40, box)
	repeat(1, []byte(separator))
	repeat(200, chunk)
	repeat(1, []byte("\n"))
	repeat(40, box)

	runtime.GC()
	before, most := heap(), int64(0)
	messages, biggest := 0, int64(0)
	for m, err := range Read(t.Context(), "-", Options{Stdin: io.MultiReader(src...)}) {
		if err != nil {
			t.Fatal(err)
		}
		messages++
		biggest = max(biggest, m.Size)
		most = max(most, heap())
	}
	if messages != 80*400+1 || biggest != 200<<20 {
		t.Errorf("%d messages, the biggest of %d octets", messages, biggest)
	}
	if grown := most - before; grown > 40<<20 {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
}

// heap is the size of all objects, dead ones that were not yet swept included.
func heap() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}
