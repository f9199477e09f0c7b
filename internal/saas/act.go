package saas

import (
	"context"
	"fmt"
	"net/http"
)

// Refuse is the error of a Plan for what cannot be done, with the reason.
func Refuse(format string, args ...any) error {
	return &Error{Outcome: Invalid, Msg: fmt.Sprintf(format, args...)}
}

// Settled is the error of a Plan for what is so already.
func Settled(format string, args ...any) error {
	return &Error{Outcome: Already, Msg: fmt.Sprintf(format, args...)}
}

// Send sends requests in order. What a DELETE, or another that Removes, no longer finds is done, and what is there already.
func Send(ctx context.Context, conn *Conn, list []Req) error {
	for _, q := range list {
		rep, err := conn.Do(ctx, q)
		if (q.Removes || q.Method == http.MethodDelete) && Is(err, Missing) || Is(err, Already) {
			continue
		}
		if err != nil {
			return err
		}
		if err := rep.Into(nil); err != nil { // read to its end, kept nowhere
			return err
		}
	}
	return nil
}

// Guarded gives an action that sends its steps only while they are not done, and takes them back only while they are.
func Guarded(a Action, done func(context.Context, *Conn, *Plan) (bool, error)) Action {
	a.Done = done
	a.Do = func(ctx context.Context, conn *Conn, p *Plan) error {
		if ok, err := done(ctx, conn, p); err != nil || ok {
			return err
		}
		return Send(ctx, conn, p.Steps)
	}
	if a.Irreversible == "" {
		a.Undo = func(ctx context.Context, conn *Conn, p *Plan) error {
			if ok, err := done(ctx, conn, p); err != nil || !ok {
				return err
			}
			if len(p.Back) == 0 {
				return Refuse("nothing takes back this %s of %s", p.Verb, p.Target.ID)
			}
			return Send(ctx, conn, p.Back)
		}
	}
	return a
}
