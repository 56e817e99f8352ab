package imapclient

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/fblwatch/fblwatch/callbacks"
)

const module = "github.com/fblwatch/fblwatch"

// identify sends ID (RFC 2971), and does not wait for the answer. Some servers, such as
// 163.com and 126.com, open no mailbox before it.
func (s *setup) identify() error {
	if s.opts.NoID || !s.Has("ID") {
		return nil
	}
	line := fmt.Sprintf(`ID ("name" "fblwatch" "version" %s "support-url" "https://%s")`, quote([]byte(version())), module)
	s.idTag = s.tag()
	return s.wire.send(s.idTag+" "+line, s.idTag+" "+line)
}

// identified takes the answer to ID.
func (c *Client) identified(st status) {
	if st.kind != "OK" {
		c.log(callbacks.Info, "no ID: server said "+st.kind+" "+st.text)
	}
}

// version is the version of this module in this program.
var version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == module && m.Version != "" {
			return m.Version
		}
	}
	return "(devel)"
})
