package imapclient

import "context"

// Expunge removes those of these messages for good that have the flag \Deleted (RFC
// 4315 section 2.1). ErrNoUIDPlus: the server could remove such messages only
// together with everybody else's, so nothing is done; look for UIDPLUS by Has
// before setting the flag. ErrReadOnly: the mailbox allows no changes.
func (c *Client) Expunge(ctx context.Context, uids []uint32) error {
	switch {
	case c.locked:
		return ErrLocked
	case c.selected.ReadOnly:
		return ErrReadOnly
	case !c.Has("UIDPLUS"):
		return ErrNoUIDPlus
	}
	return c.each(ctx, uids, "UID EXPUNGE ", "")
}
