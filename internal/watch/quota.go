package watch

import (
	"context"
	"errors"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// quota writes to the ledger how full the mailbox is, once a session of the first
// lane: reports to a full mailbox bounce.
func (p *plan) quota(ctx context.Context, c *imapclient.Client) error {
	quotas, err := c.Quota(ctx, "INBOX")
	switch {
	case errors.Is(err, imapclient.ErrNoQuota), errors.As(err, new(*imapclient.ResponseError)) && imapclient.Backoff(err) == 0:
		return nil
	case err != nil:
		return err
	}
	counts := make(map[string]int64)
	for _, q := range quotas {
		if q.Limit > 0 {
			name := strings.ToLower(q.Resource)
			counts[name+"_used"], counts[name+"_limit"] = int64(q.Used), int64(q.Limit)
		}
	}
	if len(counts) > 0 {
		p.a.setState(ledger.Status{Name: ledger.QuotaStatus + p.a.Name, State: ledger.StateOK, Counts: counts})
	}
	return nil
}
