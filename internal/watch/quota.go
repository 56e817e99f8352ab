package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fblwatch/fblwatch/imapclient"
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
	fullest, state := -1.0, ""
	for _, q := range quotas {
		if share := float64(q.Used) / float64(q.Limit); q.Limit > 0 && share > fullest {
			fullest, state = share, fmt.Sprintf("%.0f%% of %s used (%d of %d)", share*100, q.Resource, q.Used, q.Limit)
		}
	}
	if state == "" {
		return nil
	}
	b, err := json.Marshal(struct {
		State string `json:"state"`
	}{state})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stateLimit)
	defer cancel()
	_ = p.a.Ledger.SetState(ctx, "quota/"+p.a.Name, string(b)) // as with the other states
	return nil
}
