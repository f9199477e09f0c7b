package dlp

import (
	"context"
	"io"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// File adds what the content of a file holds. It begins a new object; Findings are then those of the file.
func (s *Scanner) File(ctx context.Context, in io.Reader, name string, size int64, lim extract.Limits) (extract.Result, error) {
	s.Reset()
	return extract.Read(ctx, in, name, size, lim, func(text []byte, kind extract.Kind, where string) {
		if kind == extract.JSON {
			s.JSON(text)
			return
		}
		s.Text(text, where)
	})
}
