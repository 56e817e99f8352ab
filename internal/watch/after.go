package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// Action is what is done in the mailbox to a message after its commit. The zero Action
// does nothing.
type Action struct {
	Do  string // seen, flag, move, delete
	Arg string // the flag, or the folder
}

// UnmarshalText reads none, seen, flag NAME, move FOLDER or delete.
func (a *Action) UnmarshalText(text []byte) error {
	do, arg, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	arg = strings.TrimSpace(arg)
	switch {
	case do == "flag" && (strings.EqualFold(arg, `\Deleted`) || strings.EqualFold(arg, `\Recent`)):
		return errors.New(`cannot flag messages \Deleted or \Recent; use delete, which removes messages that were read to their end`)
	case do == "none" && arg == "":
		*a = Action{}
	case (do == "seen" || do == "delete") && arg == "", do == "flag" && arg != "" && !strings.ContainsAny(arg, ` (){%*"]`), do == "move" && arg != "":
		*a = Action{do, arg}
	default:
		return errors.New("must be none, seen, flag NAME, move FOLDER or delete")
	}
	return nil
}

func (a Action) String() string { return strings.TrimSpace(a.Do + " " + a.Arg) }

// After is what is done to messages, by kind, once their records are in the ledger.
type After struct {
	Report   Action `yaml:"report"`
	Unparsed Action `yaml:"unparsed"`
	Other    Action `yaml:"other"` // messages that make no record
}

func (a After) all() []Action { return []Action{a.Report, a.Unparsed, a.Other} }

// any reports whether anything is done at all.
func (a After) any() bool { return a != After{} }

// Targets are the folders that messages are moved to, which are never watched.
func (a After) Targets() (folders []string) {
	for _, action := range a.all() {
		if action.Do == "move" {
			folders = append(folders, action.Arg)
		}
	}
	return folders
}

func (a After) of(kind report.Kind) Action {
	switch kind {
	case report.KindReport:
		return a.Report
	case report.KindUnparsed:
		return a.Unparsed
	}
	return a.Other
}

// allows reports whether the action may be done to a message of size octets that was
// read up to read: a moved one must be read up to need, a deleted one to its end.
func (a Action) allows(read, need, size int64) bool {
	switch a.Do {
	case "move":
		return read >= need
	case "delete":
		return read >= size
	}
	return true
}

const todosAtOnce = 1000

// act does the after-actions that are owed. What the server refuses stays owed.
func (s *session) act(ctx context.Context) error {
	if !s.a.After.any() || s.idleHands {
		return nil
	}
	for {
		todos, err := s.a.Ledger.Todos(ctx, s.pipe.claim, todosAtOnce)
		if err != nil {
			return ledgerError(ctx, err)
		}
		if len(todos) == 0 {
			s.owed = nil
			return nil
		}
		if err := s.refusal(); err != nil {
			s.refuse("after-actions are not done", err)
			return nil
		}
		for len(todos) > 0 {
			n := 1
			for n < len(todos) && todos[n].Action == todos[0].Action && todos[n].UIDValidity == todos[0].UIDValidity {
				n++
			}
			if err := s.do(ctx, todos[:n]); err != nil {
				if isRefusal(err) || errors.Is(err, imapclient.ErrNoFlag) {
					s.refuse("the server refuses "+todos[0].Action, err)
					return nil
				}
				return err
			}
			todos = todos[n:]
		}
	}
}

// refusal is why the open mailbox allows no after-action.
func (s *session) refusal() error {
	if s.sel.ReadOnly {
		return imapclient.ErrReadOnly
	}
	return s.a.After.Refusal(s.c.Has)
}

// Refusal returns why a server with these capabilities cannot do the actions without
// harm to other messages (ErrNoUIDPlus, ErrNoMove); nil: it can.
func (a After) Refusal(has func(capability string) bool) error {
	for _, action := range a.all() {
		switch {
		case action.Do == "delete" && !has("UIDPLUS"):
			return imapclient.ErrNoUIDPlus
		case action.Do == "move" && !has("MOVE") && !has("UIDPLUS"):
			return imapclient.ErrNoMove
		}
	}
	return nil
}

// ActionError is the error of a folder in which the server refused an after-action. The
// action stays owed.
type ActionError struct {
	Folder string
	Err    error
}

func (e *ActionError) Error() string {
	return fmt.Sprintf("folder %q: %v; this stays owed", e.Folder, e.Err)
}
func (e *ActionError) Unwrap() error { return e.Err }

// refuse logs a refusal when it changes, and leaves the mailbox alone for the rest of
// this session.
func (s *session) refuse(what string, err error) {
	s.idleHands = true
	s.owed = &ActionError{s.name, fmt.Errorf("%s: %w", what, err)}
	if text := what + ": " + err.Error(); text != s.unacted {
		s.unacted = text
		s.a.Log.Error(what+"; they stay owed", "folder", s.name, "err", err)
	}
}

// do does one action to several messages and completes their todos. It drops todos
// of another UIDVALIDITY, whose UIDs mean other messages, and actions that the
// config no longer has.
func (s *session) do(ctx context.Context, todos []ledger.Todo) error {
	asked := s.a.After.all()
	i := slices.IndexFunc(asked, func(a Action) bool { return a.String() == todos[0].Action })
	if i < 0 || todos[0].UIDValidity != s.sel.UIDValidity {
		s.a.Log.Warn("dropping stale after-actions", "folder", s.name, "action", todos[0].Action, "count", len(todos))
		return ledgerError(ctx, s.a.Ledger.CompleteTodos(ctx, s.pipe.claim, todos))
	}
	action := asked[i]
	uids := make([]uint32, len(todos))
	for i, todo := range todos {
		uids[i] = todo.UID
	}
	var err error
	switch action.Do {
	case "seen":
		err = s.c.Store(ctx, uids, `\Seen`)
	case "flag":
		err = s.c.Store(ctx, uids, action.Arg)
	case "delete":
		err = s.remove(ctx, uids)
	case "move":
		err = s.moveTo(ctx, uids, action.Arg)
	}
	if err != nil {
		return err
	}
	s.unacted = ""
	return ledgerError(ctx, s.a.Ledger.CompleteTodos(ctx, s.pipe.claim, todos))
}

// remove deletes messages, and no other message that has the flag \Deleted.
func (s *session) remove(ctx context.Context, uids []uint32) error {
	if err := s.c.Store(ctx, uids, `\Deleted`); err != nil {
		return err
	}
	return s.c.Expunge(ctx, uids)
}

// moveTo moves messages to a folder, and creates it first if it does not exist.
func (s *session) moveTo(ctx context.Context, uids []uint32, folder string) error {
	err := s.move(ctx, uids, folder)
	var no *imapclient.ResponseError
	if !errors.As(err, &no) || !isRefusal(err) || no.Status == "BYE" {
		return err
	}
	// RFC 9051 section 6.4.7 wants TRYCREATE in the answer. Some servers leave it out,
	// or write it elsewhere.
	if !strings.HasPrefix(strings.ToUpper(no.Code), "TRYCREATE") {
		list, lerr := find(ctx, s.c, folder)
		switch {
		case lerr != nil && !isRefusal(lerr):
			return lerr
		case lerr != nil, list != nil && list.Selectable():
			return err
		}
	}
	if cerr := s.c.Create(ctx, folder); isRefusal(cerr) {
		return fmt.Errorf("%w; and the folder could not be created: %w", err, cerr)
	} else if cerr != nil {
		return cerr
	}
	return s.move(ctx, uids, folder)
}

// find returns the server's LIST answer for one folder; nil: there is none.
func find(ctx context.Context, c *imapclient.Client, folder string) (*imapclient.List, error) {
	lists, err := c.List(ctx, folder) // which may be a pattern
	for i := range lists {
		if name := lists[i].Mailbox; name == folder || strings.EqualFold(folder, "INBOX") && strings.EqualFold(name, folder) {
			return &lists[i], err
		}
	}
	return nil, err
}

// Obstacles returns what will keep the after-actions from being done in the open
// folder, beside Refusal, without trying any. missing are the folders that the first
// move must create. The error is of the connection.
func (a After) Obstacles(ctx context.Context, c *imapclient.Client, opened imapclient.Selected) (obstacles []error, missing []string, err error) {
	if a.any() && opened.ReadOnly {
		return []error{imapclient.ErrReadOnly}, nil, nil
	}
	var done []Action
	for _, action := range a.all() {
		if slices.Contains(done, action) {
			continue
		}
		done = append(done, action)
		flag := action.Arg
		switch action.Do {
		case "seen":
			flag = `\Seen`
		case "delete":
			flag = `\Deleted`
		case "move":
			if flag = `\Deleted`; c.Has("MOVE") {
				flag = ""
			}
			list, lerr := find(ctx, c, action.Arg)
			switch {
			case isRefusal(lerr):
			case lerr != nil:
				return obstacles, missing, lerr
			case list == nil:
				missing = append(missing, action.Arg)
			case !list.Selectable():
				obstacles = append(obstacles, fmt.Errorf("%s: folder %q takes no messages, as it is listed by %s", action, action.Arg, strings.Join(list.Attrs, " ")))
			}
		}
		if flag == "" {
			continue
		}
		if ferr := c.Keeps(flag); ferr != nil {
			obstacles = append(obstacles, fmt.Errorf("%s: %w", action, ferr))
		}
	}
	return obstacles, missing, nil
}

// move moves messages. Without MOVE it copies and deletes: after a crash in between
// the message is in both folders, and nothing is lost.
func (s *session) move(ctx context.Context, uids []uint32, folder string) error {
	if s.c.Has("MOVE") {
		return s.c.Move(ctx, uids, folder)
	}
	if err := s.c.Copy(ctx, uids, folder); err != nil {
		return err
	}
	return s.remove(ctx, uids)
}
