package watch

import (
	"context"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// committer is the last stage: one transaction a batch. After a failed one nothing
// more is committed, and the messages are read again later.
func (p *pipeline) committer(ctx context.Context) {
	for b := range p.commit {
		err := p.failed()
		if err == nil && !b.empty() {
			if err = p.write(ctx, b); err != nil {
				p.fail(err)
			}
		}
		for _, m := range b.messages {
			m.Release()
		}
		if b.reply != nil {
			b.reply <- err
		}
	}
}

func (p *pipeline) write(ctx context.Context, b *batch) error {
	p.advance(b)
	m := p.mailboxName()
	p.f.a.Handler.Critical(m)
	done, err := p.f.a.Ledger.Commit(ctx, p.claim, ledger.Batch{Checkpoint: p.cp, Messages: b.made, Todos: b.todos})
	p.f.a.Handler.NoCritical(m)
	if err != nil {
		return ledgerError(ctx, err)
	}
	p.kept = true
	p.f.a.Rules.Brake.Log(done.Over)
	if len(b.made) > 0 {
		p.f.a.commits.Add(1)
	}
	if p.f.a.Committed != nil {
		p.f.a.Committed(done)
	}
	p.report(func(pr *Progress) {
		pr.Done += len(b.made)
		pr.Records += len(done.Rows)
	})
	return nil
}
