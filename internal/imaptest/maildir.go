package imaptest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MaildirPath is the directory of a folder's cur, new and tmp.
func (d *DovecotServer) MaildirPath(folder string) string {
	root := filepath.Join(d.dir, "mail")
	if strings.EqualFold(folder, "INBOX") {
		return root
	}
	return filepath.Join(root, "."+strings.ReplaceAll(folder, "/", "."))
}

// Deliver drops mails into a folder's Maildir behind Dovecot's back, as a mail
// server does; it makes the folder where there is none. Dovecot numbers them
// in this order, and INTERNALDATE is now.
func (d *DovecotServer) Deliver(folder string, mails ...[]byte) {
	d.tb.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.deliver(d.MaildirPath(folder), mails); err != nil {
		d.tb.Fatal(err)
	}
}

func (d *DovecotServer) deliver(maildir string, mails [][]byte) error {
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
	for _, mail := range mails {
		d.delivered++
		// Dovecot orders new mails by the seconds their names begin with.
		name := fmt.Sprintf("%d.Q%d.imaptest,S=%d", 1_700_000_000+d.delivered, d.delivered, len(mail))
		draft := filepath.Join(maildir, "tmp", name)
		if err := os.WriteFile(draft, mail, 0o644); err != nil {
			return err
		}
		if err := os.Rename(draft, filepath.Join(maildir, "new", name)); err != nil {
			return err
		}
	}
	return nil
}

// Append adds mails to a folder by IMAP's APPEND, over a connection that stays
// open for the next call; it makes the folder where there is none.
func (d *DovecotServer) Append(folder string, mails ...[]byte) {
	d.tb.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.append(folder, mails)
	if err != nil {
		d.tb.Fatal(err)
	}
}

func (d *DovecotServer) append(folder string, mails [][]byte) (err error) {
	if d.appender == nil {
		if d.appender, err = dialRaw(d.plain, d.User(), d.Password()); err != nil {
			return err
		}
	}
	for _, mail := range mails {
		command := fmt.Sprintf("APPEND %s {%d+}\r\n%s", quote(folder), len(mail), mail)
		answer, err := d.appender.do(command)
		if err == nil && strings.Contains(answer, "[TRYCREATE]") {
			d.appender.do("CREATE " + quote(folder))
			answer, err = d.appender.do(command)
		}
		if err == nil && !strings.HasPrefix(answer, "OK") {
			err = fmt.Errorf("imaptest: APPEND: %s", answer)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Do runs a command over the connection that Append uses, as another client of
// the same user would, and returns the tagged answer. It must be OK.
func (d *DovecotServer) Do(command string) string {
	d.tb.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	var err error
	if d.appender == nil {
		d.appender, err = dialRaw(d.plain, d.User(), d.Password())
	}
	answer := ""
	if err == nil {
		answer, err = d.appender.do(command)
	}
	if err != nil || !strings.HasPrefix(answer, "OK") {
		d.tb.Fatalf("%s: %s %v", command, answer, err)
	}
	return answer
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	check(err)
	return n
}
