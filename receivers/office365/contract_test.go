package office365

import (
	"testing"

	"github.com/longshore-dev/longshore/internal/saas/saastest"
)

func TestContract(t *testing.T) { saastest.Run(t, Provider) }
