package realserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maildirPath is the directory of a folder's cur, new and tmp.
func (d *DovecotServer) maildirPath(folder string) string {
	root := filepath.Join(d.dir, "mail")
	if strings.EqualFold(folder, "INBOX") {
		return root
	}
	return filepath.Join(root, "."+strings.ReplaceAll(folder, "/", "."))
}

// Deliver writes messages into the Maildir of a folder, as a delivery agent does.
// If the folder does not exist, Deliver makes it. Dovecot numbers the messages in
// this order, and INTERNALDATE is now.
func (d *DovecotServer) Deliver(folder string, messages ...[]byte) {
	d.tb.Helper()
	d.DeliverAt(time.Now(), folder, messages...)
}

// DeliverAt is Deliver with another INTERNALDATE.
func (d *DovecotServer) DeliverAt(at time.Time, folder string, messages ...[]byte) {
	d.tb.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.deliver(d.maildirPath(folder), at, messages); err != nil {
		d.tb.Fatal(err)
	}
}

func (d *DovecotServer) deliver(maildir string, at time.Time, messages [][]byte) error {
	if _, err := os.Stat(maildir); err != nil {
		for _, sub := range []string{"", "cur", "new", "tmp"} {
			path := filepath.Join(maildir, sub)
			if err := os.Mkdir(path, 0o755); err != nil {
				return err
			}
			if err := d.own(path); err != nil {
				return err
			}
		}
	}
	for _, message := range messages {
		d.delivered++
		// Dovecot orders new messages by the seconds their names begin with.
		name := fmt.Sprintf("%d.Q%d.imaptest,S=%d", 1_700_000_000+d.delivered, d.delivered, len(message))
		draft := filepath.Join(maildir, "tmp", name)
		if err := os.WriteFile(draft, message, 0o644); err != nil {
			return err
		}
		if err := os.Chtimes(draft, at, at); err != nil {
			return err
		}
		if err := os.Rename(draft, filepath.Join(maildir, "new", name)); err != nil {
			return err
		}
	}
	return nil
}
