package saastest

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAProviderThatKeepsEveryPromisePasses(t *testing.T) { Run(t, acme(nil)) }
