package imapclient

import (
	"context"
	"strconv"
	"strings"
)

// Quota is one limit on a mailbox (RFC 2087 section 5.1, RFC 9208 section 5).
type Quota struct {
	Root     string // name of the group of mailboxes that share the limit; may be empty
	Resource string // STORAGE (in units of 1,024 octets), MESSAGE (messages), ...
	Used     int64
	Limit    int64
}

const maxQuotas = 100 // of one answer

// Quota returns the limits on a mailbox, at most 100. The list is empty if there are
// none. Errors: ErrNoQuota, *ResponseError.
func (c *Client) Quota(ctx context.Context, mailbox string) ([]Quota, error) {
	if c.locked {
		return nil, ErrLocked
	}
	if err := validName(mailbox); err != nil {
		return nil, err
	}
	if !c.Has("QUOTA") {
		return nil, ErrNoQuota
	}
	c.quotas = nil
	err := c.own(ctx, c.limits.Command, "GETQUOTAROOT "+c.arg(mailbox))
	quotas := c.quotas
	c.quotas = nil
	return quotas, err
}

func (c *Client) quotaLine(quotas []Quota) {
	c.quotas = append(c.quotas, quotas[:min(len(quotas), maxQuotas-len(c.quotas))]...)
}

// parseQuota reads what follows "* QUOTA": a root, and triples.
func parseQuota(rest []byte) (quotas []Quota) {
	p := parser{rest}
	root, _ := p.str()
	for items := p.list(); len(items) >= 3; items = items[3:] {
		q := Quota{Root: root, Resource: strings.ToUpper(items[0])}
		var err1, err2 error
		q.Used, err1 = strconv.ParseInt(items[1], 10, 64)
		q.Limit, err2 = strconv.ParseInt(items[2], 10, 64)
		if err1 == nil && err2 == nil && q.Used >= 0 && q.Limit >= 0 {
			quotas = append(quotas, q)
		}
	}
	return quotas
}
