package extract

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/extract/made"
)

const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR "

// seeing reads a file with OCR and gives its text.
func seeing(t *testing.T, ocr OCR, in string, lim Limits) (string, Result, error) {
	t.Helper()
	var out strings.Builder
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	res, err := Read(WithOCR(ctx, ocr), strings.NewReader(in), "x", int64(len(in)), lim, func(p *Piece) {
		fmt.Fprintf(&out, "%s| %s\n", p.Where(p.From), strings.TrimSpace(string(p.Text[p.From:p.To])))
	})
	return out.String(), res, err
}

func TestTextOfPicturesIsReadWhereThereIsOCR(t *testing.T) {
	asked := []string{}
	ocr := func(_ context.Context, kind string, b []byte) ([]byte, error) {
		asked = append(asked, fmt.Sprintf("%s %d", kind, len(b)))
		return []byte("seen " + kind + "\n"), nil
	}
	f := func(in string, lim Limits, outcome, want string, kinds ...string) {
		t.Helper()
		asked = asked[:0]
		got, res, err := seeing(t, ocr, in, lim)
		if err != nil || res.Outcome != outcome || !strings.Contains(got, want) || strings.Join(asked, ",") != strings.Join(kinds, ",") {
			t.Errorf("%v, %+v, asked %v; got:\n%s\nwant:\n%s", err, res, asked, got, want)
		}
	}
	f(png, Limits{}, Done, "line 1| seen image/png", "image/png 17")
	f("\xff\xd8\xff\xe0 jpeg\x00", Limits{}, Done, "line 1| seen image/jpeg", "image/jpeg 10")
	f(string(made.Zip(t, "a.png", png, "b.txt", "text")), Limits{}, Done, "a.png: line 1| seen image/png", "image/png 17")
	f(made.Docx(t, "<w:p><w:r><w:t>hello</w:t></w:r></w:p>", "word/media/image1.png", png), Limits{}, Done,
		"word/media/image1.png: line 1| seen image/png", "image/png 17")
	f("text", Limits{}, Done, "line 1| text")
	m := made.NewPDF()
	image := m.Stream("/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "x", false)
	m.Page("/I Do", fmt.Sprintf("/Resources<</XObject<</I %d 0 R>>>>", image))
	whole := m.String()
	f(whole, Limits{}, Done, "page 1| seen application/pdf", fmt.Sprintf("application/pdf %d", len(whole)))
	m.Page(made.Drawn("text"), "")
	f(m.String(), Limits{}, Partial, "page 2| text") // a part of it has text, which is not to be told twice
}

func TestWhatOCRDoesNotGiveHasAReason(t *testing.T) {
	f := func(ocr OCR, in string, lim Limits, outcome, reason string) {
		t.Helper()
		_, res, err := seeing(t, ocr, in, lim)
		if err != nil || res.Outcome != outcome || res.Reason != reason {
			t.Errorf("%v, %+v, want %s: %s", err, res, outcome, reason)
		}
	}
	some := func(context.Context, string, []byte) ([]byte, error) { return []byte("x"), nil }
	down := func(context.Context, string, []byte) ([]byte, error) { return nil, errors.New("the server is down") }
	f(down, png, Limits{}, NotScanned, "an image: the server is down")
	f(some, png, Limits{Image: 16}, NotScanned, "an image: larger than 16 bytes, the limit of OCR")
	f(some, png, Limits{Image: 17}, Done, "")
	three := string(made.Zip(t, "a.png", png, "b.png", png, "c.png", png))
	f(some, three, Limits{Images: 2}, Partial, "of 3 files in it: 1 image: beyond the first 2, the limit of OCR")
	f(down, three, Limits{}, NotScanned, "of 3 files in it: 3 × an image: the server is down")
	m := made.NewPDF()
	image := m.Stream("/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray", "x", false)
	m.Page("/I Do", fmt.Sprintf("/Resources<</XObject<</I %d 0 R>>>>", image))
	f(down, m.String(), Limits{}, NotScanned, "a PDF of images: the server is down")
	f(nil, png, Limits{}, NotScanned, "an image: there is no reader for it")
}

func TestOCREndsWithTheTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ocr := func(ctx context.Context, _ string, _ []byte) ([]byte, error) { cancel(); return nil, ctx.Err() }
	res, err := Read(WithOCR(ctx, ocr), strings.NewReader(png), "x", -1, Limits{}, func(*Piece) {})
	if !errors.Is(err, context.Canceled) || res.Outcome != Partial || res.Reason != "the time ran out" {
		t.Errorf("%v, %+v", err, res)
	}
}
