package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/survey"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
)

const mostSamples = 1000 // messages of a folder

// sampleFlag is the option of check that reads messages.
func sampleFlag() cli.Flag {
	return numberFlag("sample", "read the newest `N` messages of each folder, 1,000 at most; count the verdicts of a sweep without since and brake, and their causes; "+
		"propose whom to trust, by the reports that verify, and rules for those without a subscriber; asks the DNS for the keys of signatures", 0)
}

// sampling is what --sample asks for; nil: nothing.
func (p *program) sampling(c *cli.Context) (*survey.Survey, error) {
	n := c.Int("sample")
	if !c.IsSet("sample") {
		return nil, nil
	}
	if n < 1 || n > mostSamples {
		return nil, wrong(fmt.Errorf("--sample must be between 1 and %d", mostSamples), "")
	}
	return survey.New(n, p.resolver, p.progress(false)), nil
}

// rivals prints both fields and what the server must do.
func (t *trial) rivals(list []*survey.Rivals) {
	for _, r := range list {
		have := "have"
		if r.Messages == 1 {
			have = "has"
		}
		t.say("warning", r.Account, fmt.Sprintf("%s %s two Authentication-Results of %s, such as", terminal.Plural(r.Messages, "message"), have, r.ID))
		indent := strings.Repeat(" ", checkIndent)
		for _, one := range []trust.Rival{r.Upper, r.Lower} {
			where := "above every Received: "
			if one.By != "" {
				where = "below a Received by " + terminal.Printable(one.By) + ": "
			}
			fmt.Fprint(t.p.stdout, terminal.Wrap(indent+"- ", where+terminal.Cut(terminal.Printable(one.Says), longValue), checkIndent+2, terminal.Width(t.p.stdout)))
		}
		fmt.Fprint(t.p.stdout, terminal.Wrap(indent, "anybody can write that name: your server must remove Authentication-Results of others that have its id, see docs/trust.md", checkIndent, terminal.Width(t.p.stdout)))
	}
}
