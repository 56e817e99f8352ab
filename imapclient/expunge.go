package imapclient

import "context"

// Expunge removes for ever those of these messages that have the flag \Deleted (RFC
// 4315 section 2.1). Errors: ErrReadOnly, ErrNoUIDPlus, *ResponseError. Check
// Has("UIDPLUS") before you set the flag: without UIDPLUS any other client's
// EXPUNGE removes the messages, and this Client cannot.
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
