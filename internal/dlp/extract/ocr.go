package extract

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

// OCR reads the text in a picture, or in a PDF of pictures, of a media type. Its errors say why it could not, in words that show nothing
// of the content; it ends when the context does.
type OCR func(ctx context.Context, kind string, content []byte) (text []byte, err error)

type ocrKey struct{}

// WithOCR has Read ask for the text of pictures, up to Limits.Images of a file. Without it they are not scanned.
func WithOCR(ctx context.Context, read OCR) context.Context {
	return context.WithValue(ctx, ocrKey{}, read)
}

const (
	defaultImages = 20
	defaultImage  = 16 << 20
)

// readImage reads what is in a picture, as far as there is OCR.
func (x *run) readImage(r *bufio.Reader, f file, form form) (status, error) {
	b, err := x.hold(io.LimitReader(r, x.lim.Image+1), f, "an image")
	defer func() { x.held -= int64(cap(b)) }()
	if err != nil {
		return settle(form.kind, false, err)
	}
	text, err := x.recognise(form.kind, b)
	if err != nil {
		var why flaw
		if errors.As(err, &why) {
			err = flawf("an image: %s", why.reason)
		}
		return settle(form.kind, false, err)
	}
	return x.gather(f, form, "line", bufio.NewReader(bytes.NewReader(text)), func(w *flow, d *decoder) error { return each(d, w.write) })
}

// recognise asks for the text of pictures.
func (x *run) recognise(kind string, b []byte) ([]byte, error) {
	switch {
	case int64(len(b)) > x.lim.Image:
		return nil, flawf("larger than %s, the limit of OCR", bytesText(x.lim.Image))
	case x.images >= x.lim.Images:
		return nil, flawf("beyond the first %d, the limit of OCR", x.lim.Images)
	}
	x.images++
	text, err := x.ocr(x.ctx, kind, b)
	switch {
	case x.ctx.Err() != nil:
		return nil, x.ctx.Err()
	case err != nil:
		return nil, flawf("%s", err.Error())
	}
	return text, nil
}

// pictures reads a PDF that has nothing but images as a whole.
func (p *pdf) pictures() error {
	if p.x.ocr == nil || p.count.images == 0 || p.count.images < p.total {
		return nil
	}
	text, err := p.x.recognise(kindPDF, p.b)
	var f flaw
	switch {
	case errors.As(err, &f):
		p.unseen = f.reason
		return nil
	case err != nil:
		return err
	}
	p.count.images = 0
	p.some = p.some || len(bytes.TrimSpace(text)) > 0
	p.w.mark("", false, 1)
	return p.w.write(text)
}
