package box

import (
	"context"

	"github.com/longshore-dev/longshore/internal/saas"
)

// rights is Instance.Rights.
func (c *credential) rights(ctx context.Context, conn *saas.Conn) (*saas.Rights, error) {
	var me struct{ ID, Login string }
	if err := saas.Get(ctx, conn, "/users/me", &me); err != nil {
		return nil, err
	}
	return &saas.Rights{Who: me.Login, Self: []string{me.ID, me.Login}}, nil
}
