package extract

import (
	"strings"
	"testing"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

func TestFilesThatAreMadeAreReadWhole(t *testing.T) {
	lines := []string{"one & two", "a <needle>, \"quoted\"", "three {four}"}
	for _, ext := range made.Extensions {
		in := made.File(t, ext, lines)
		if in != made.File(t, ext, lines) {
			t.Errorf("%s: made otherwise the second time", ext)
		}
		got, res := piecesOf(t, strings.NewReader(in), "a."+ext, Limits{})
		if ext == "png" {
			if res.Outcome != NotScanned || res.Type != "image/png" {
				t.Errorf("%s: %+v", ext, res)
			}
			continue
		}
		for _, l := range lines {
			if ext == "json" {
				l = strings.ReplaceAll(l, `"`, `\"`)
				l = strings.NewReplacer("&", `\u0026`, "<", `\u003c`, ">", `\u003e`).Replace(l)
			}
			if res.Outcome != Done || !strings.Contains(got, l) {
				t.Errorf("%s: %+v: no %q in\n%.500s", ext, res, l, got)
			}
		}
	}
}
