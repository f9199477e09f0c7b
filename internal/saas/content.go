package saas

import (
	"context"
	"encoding/json"
	"errors"
	"io"
)

func registerJudge(set string) (remove func()) { return func() {} }

type file struct{}

func (t *Tenant) fileOf(string) *File { return nil }

func (t *Tenant) verdictOf(context.Context, string, string) json.RawMessage { return nil }

func (f *file) verdict(context.Context, string) json.RawMessage { return nil }

func (f *file) open(context.Context) (io.ReadCloser, error) { return nil, errors.New("no content") }

func (f *file) tries() int { return 0 }

func (f *file) judge(string, json.RawMessage, bool) {}

func (p *reply) body() io.ReadCloser { return nil }
