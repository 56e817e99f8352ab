package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

func (p *program) generateCommand() *cli.Command {
	return &cli.Command{
		Name:      "generate",
		Usage:     "write made-up reports of any dialect, for tests",
		ArgsUsage: "[PATH]",
		Description: "Subscribers are at example.com, sources in 192.0.2.0/24; the reporter is the one\n" +
			"that writes the dialect. An mbox goes to PATH or standard output (-); a Maildir or\n" +
			"a directory of .eml files goes to PATH. Equal seeds give equal messages.\n\n" +
			"Example: fblwatch generate --dialect yahoo -n 100 > yahoo.mbox",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dialect", Usage: "`NAME` of a dialect; all takes them in turn", Value: "rfc5965"},
			numberFlag("count", "the number of `MESSAGES`", 1, "n"),
			&cli.StringFlag{Name: "format", Usage: "mbox, maildir or eml-dir", Value: "mbox"},
			&cli.GenericFlag{Name: "seed", Usage: "the `NUMBER` from which names, dates and tokens are made", Value: &decimal{text: "1", large: true}},
			&cli.BoolFlag{Name: "list", Usage: "list the dialects"},
		},
		Action: p.generate,
	}
}

func (p *program) generate(c *cli.Context) error {
	all := sample.Dialects()
	if c.Bool("list") {
		for _, d := range all {
			fmt.Fprint(p.stdout, terminal.Wrap(fmt.Sprintf("%-17s ", d.Name), d.About, 18, terminal.Width(p.stdout)))
		}
		return nil
	}
	if c.Args().Len() > 1 {
		return wrong(errors.New("more than one path"), "fblwatch generate [PATH]")
	}
	name, n := c.String("dialect"), c.Int("count")
	if name != "all" {
		i := slices.IndexFunc(all, func(d sample.Dialect) bool { return d.Name == name })
		if i < 0 {
			return wrong(fmt.Errorf("unknown dialect %q", name), "fblwatch generate --list lists them")
		}
		all = all[i : i+1]
	}
	if n < 0 {
		return wrong(fmt.Errorf("--count %d: must be 0 or more", n), "")
	}
	out, err := p.messageWriter(c.String("format"), c.Args().First())
	if err != nil {
		return err
	}
	for i := range n {
		d := all[i%len(all)]
		err := out.write(i, d.Name, d.Message(sample.NewComplaint(c.Uint64("seed"), i)))
		if err == nil {
			err = c.Context.Err()
		}
		if err != nil {
			return errors.Join(err, out.close())
		}
	}
	return out.close()
}

// messageWriter writes generated messages to one place.
type messageWriter struct {
	write func(n int, dialect string, message []byte) error
	close func() error
}

func (p *program) messageWriter(format, path string) (messageWriter, error) {
	if path == "-" {
		path = "" // standard output; a file of that name is ./-
	}
	if path == "" && (format == "maildir" || format == "eml-dir") {
		return messageWriter{}, wrong(fmt.Errorf("--format %s needs a directory", format), "fblwatch generate --format "+format+" DIRECTORY")
	}
	switch format {
	case "mbox":
		return p.mboxWriter(path)
	case "maildir":
		return maildirWriter(path)
	case "eml-dir":
		write := func(n int, dialect string, message []byte) error {
			return writeNew(filepath.Join(path, fmt.Sprintf("%06d-%s.eml", n+1, dialect)), message)
		}
		return messageWriter{write, func() error { return nil }}, makeDir(path)
	}
	return messageWriter{}, wrong(fmt.Errorf("unknown format %q", format), "formats are mbox, maildir, eml-dir")
}

// mboxWriter writes an mbox in the form mboxrd, whose quoted "From " lines can be
// restored.
func (p *program) mboxWriter(path string) (messageWriter, error) {
	w, finish := p.stdout, func() error { return nil }
	if path != "" {
		file, err := newFile(path)
		if err != nil {
			return messageWriter{}, err
		}
		w, finish = file, file.Close
	}
	out := bufio.NewWriter(w)
	write := func(n int, _ string, message []byte) error {
		_, _ = io.WriteString(out, "From MAILER-DAEMON "+sample.Start.UTC().Format("Mon Jan _2 15:04:05 2006")+"\n") // the error stays in out
		for line := range bytes.Lines(message) {
			line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
			if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
				_ = out.WriteByte('>')
			}
			_, _ = out.Write(line)
			_ = out.WriteByte('\n')
		}
		return out.WriteByte('\n')
	}
	return messageWriter{write, func() error { return errors.Join(out.Flush(), finish()) }}, nil
}

func maildirWriter(path string) (messageWriter, error) {
	for _, name := range []string{".", "tmp", "new", "cur"} {
		if err := makeDir(filepath.Join(path, name)); err != nil {
			return messageWriter{}, err
		}
	}
	write := func(n int, dialect string, message []byte) error {
		name := fmt.Sprintf("%d.%06d.%s", sample.Start.Unix(), n+1, dialect)
		tmp := filepath.Join(path, "tmp", name)
		if err := writeNew(tmp, message); err != nil {
			return err
		}
		return os.Rename(tmp, filepath.Join(path, "new", name))
	}
	return messageWriter{write, func() error { return nil }}, nil
}

// makeDir makes a directory if it does not exist. The parent must exist: a missing
// one is probably a typing error.
func makeDir(path string) error {
	err := os.Mkdir(path, 0o700)
	switch {
	case errors.Is(err, os.ErrExist):
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			return nil
		}
	case errors.Is(err, os.ErrNotExist):
		return failed(err, "make "+filepath.Dir(filepath.Clean(path))+" first, or name another directory")
	}
	return err
}

// newFile creates a file. It never overwrites one, which may be somebody's message.
func newFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, os.ErrExist):
		err = failed(err, "name a file or directory that does not exist yet")
	case errors.Is(err, os.ErrNotExist):
		err = failed(err, "make "+filepath.Dir(path)+" first, or name another file")
	}
	return file, err
}

func writeNew(path string, b []byte) error {
	file, err := newFile(path)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	return errors.Join(err, file.Close())
}
