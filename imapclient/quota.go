package imapclient

import "context"

const maxQuotas = 100 // of one answer

// Quota returns the limits on a mailbox, at most 100. The list is empty if there are
// none. Errors: ErrNoQuota, *ResponseError.
func (c *Client) Quota(ctx context.Context, mailbox string) ([]Quota, error) {
	if err := c.ready(mailbox); err != nil {
		return nil, err
	}
	if !c.Has("QUOTA") {
		return nil, ErrNoQuota
	}
	c.quotas = nil
	err := c.own(ctx, c.limits.Command, "GETQUOTAROOT "+c.spelled.arg(mailbox))
	quotas := c.quotas
	c.quotas = nil
	return quotas, err
}

func (c *Client) quotaLine(quotas []Quota) {
	c.quotas = append(c.quotas, quotas[:min(len(quotas), maxQuotas-len(c.quotas))]...)
}
