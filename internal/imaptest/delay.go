package imaptest

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// DelayProxy is a slow connection to a server. Octets arrive half a round trip later,
// in both directions, and a connection opens after one round trip. With zero fields
// it only counts octets.
type DelayProxy struct {
	proxy
	RoundTrip time.Duration
	Bandwidth int64 // octets a second, in each direction of a connection; 0: any
}

// delayWindow is how many octets may be in transit in one direction of a
// connection.
const delayWindow = 16 << 20

// NewDelayProxy starts a proxy to addr that ends with the test.
func NewDelayProxy(tb testing.TB, addr string, roundTrip time.Duration, bandwidth int64) *DelayProxy {
	tb.Helper()
	p := &DelayProxy{RoundTrip: roundTrip, Bandwidth: bandwidth}
	p.carry = func(_ int, client, server *net.TCPConn) {
		time.Sleep(roundTrip)
		var wg sync.WaitGroup
		wg.Go(func() { p.lane(server, client, &p.up) })
		wg.Go(func() { p.lane(client, server, &p.down) })
		wg.Wait()
	}
	startProxy(tb, addr, &p.proxy)
	return p
}

// parcel is the octets of one read, and the time to write them.
type parcel struct {
	octets []byte
	due    time.Time
}

// lane copies one direction to its end.
func (p *DelayProxy) lane(to, from *net.TCPConn, count *atomic.Int64) {
	const most = 64 << 10
	parcels := make(chan parcel, delayWindow/most)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer to.CloseWrite()
		var err error
		for parcel := range parcels { // all of them, so that the reader never waits for ever
			time.Sleep(time.Until(parcel.due))
			if err == nil {
				_, err = to.Write(parcel.octets)
			}
			if err != nil {
				from.CloseRead()
			}
		}
	})
	var free time.Time // when the last octet so far has left
	for {
		buf := make([]byte, most)
		n, err := from.Read(buf)
		if n > 0 {
			count.Add(int64(n))
			if now := time.Now(); free.Before(now) {
				free = now
			}
			if p.Bandwidth > 0 {
				free = free.Add(time.Duration(int64(n) * int64(time.Second) / p.Bandwidth))
			}
			parcels <- parcel{buf[:n], free.Add(p.RoundTrip / 2)}
		}
		if err != nil {
			break
		}
	}
	close(parcels)
	wg.Wait()
}
