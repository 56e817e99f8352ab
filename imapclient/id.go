package imapclient

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/fblwatch/fblwatch/callbacks"
)

const module = "github.com/fblwatch/fblwatch"

// identify sends ID (RFC 2971). Some servers, such as 163.com and 126.com, open no
// mailbox before it.
func (s *setup) identify() error {
	if s.opts.NoID || !s.Has("ID") {
		return nil
	}
	line := fmt.Sprintf(`ID ("name" "fblwatch" "version" %s "support-url" "https://%s")`, quote([]byte(version())), module)
	st, err := s.command(line, line, nil)
	if err == nil && st.kind != "OK" {
		s.Client.log(callbacks.Info, "no ID: server said "+st.kind+" "+st.text)
	}
	return err
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
