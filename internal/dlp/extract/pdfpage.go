package extract

import (
	"unicode"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

const (
	maxChars   = 16 << 10 // that are asked for at one time
	hyphen     = 0xfffe   // stands for one at the end of a line, within a word that goes on
	maxObjects = 1000     // that are looked at to find an image
)

// page reads the next page: its text, what is noted on it, and what is filled in.
func (p *pdf) page(in *instance) error {
	res, err := in.api.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: in.doc, Index: p.next})
	if err != nil {
		return err
	}
	page := requests.Page{ByReference: &res.Page}
	p.w.mark("", false, p.next+1)
	blank, err := p.text(in, page)
	if err != nil {
		return err
	}
	if blank {
		found, err := image(in, page)
		if err != nil {
			return err
		}
		if found {
			p.count.images++
		}
	}
	if err := p.notes(in, page); err != nil {
		return err
	}
	_, err = in.api.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: res.Page})
	return err
}

// text writes the text of a page, in the order and with the spaces and ends of lines that PDFium finds.
func (p *pdf) text(in *instance, page requests.Page) (blank bool, err error) {
	res, err := in.api.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: page})
	if err != nil {
		return false, err
	}
	chars, err := in.api.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: res.TextPage})
	if err != nil {
		return false, err
	}
	blank = true
	for at := 0; at < chars.Count; at += maxChars {
		ask := &requests.FPDFText_GetText{TextPage: res.TextPage, StartIndex: at, Count: min(maxChars, chars.Count-at)}
		got, err := in.api.FPDFText_GetText(ask)
		if err != nil {
			return false, err
		}
		some, err := p.write(got.Text)
		if err != nil {
			return false, err
		}
		blank = blank && !some
	}
	if !blank {
		if err := p.w.write(newline); err != nil {
			return false, err
		}
	}
	_, err = in.api.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: res.TextPage})
	return blank, err
}

// write writes text as PDFium gives it, and says whether there is any.
func (p *pdf) write(text string) (some bool, err error) {
	p.plain = p.plain[:0]
	for _, r := range text {
		switch r {
		case 0, '\r', hyphen:
		default:
			p.plain = appendPlain(p.plain, r)
			some = some || !unicode.IsSpace(r)
		}
	}
	p.some = p.some || some
	return some, p.w.write(p.plain)
}

// field writes a line of text that has a name.
func (p *pdf) field(name string, page int, text string) error {
	if text == "" {
		return nil
	}
	p.w.mark(name, false, page)
	if _, err := p.write(text); err != nil {
		return err
	}
	return p.w.write(newline)
}

// image says whether there is an image among what a page shows, also in what is drawn as one.
func image(in *instance, page requests.Page) (bool, error) {
	n, err := in.api.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: page})
	if err != nil {
		return false, err
	}
	left := maxObjects
	for i := range min(n.Count, maxObjects) {
		res, err := in.api.FPDFPage_GetObject(&requests.FPDFPage_GetObject{Page: page, Index: i})
		if err != nil {
			return false, err
		}
		if found, err := isImage(in, res.PageObject, 4, &left); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

func isImage(in *instance, o references.FPDF_PAGEOBJECT, depth int, left *int) (bool, error) {
	*left--
	kind, err := in.api.FPDFPageObj_GetType(&requests.FPDFPageObj_GetType{PageObject: o})
	if err != nil || kind.Type != enums.FPDF_PAGEOBJ_FORM || depth == 0 {
		return err == nil && kind.Type == enums.FPDF_PAGEOBJ_IMAGE, err
	}
	n, err := in.api.FPDFFormObj_CountObjects(&requests.FPDFFormObj_CountObjects{PageObject: o})
	if err != nil {
		return false, err
	}
	for i := 0; i < n.Count && *left > 0; i++ {
		res, err := in.api.FPDFFormObj_GetObject(&requests.FPDFFormObj_GetObject{PageObject: o, Index: uint64(i)})
		if err != nil {
			return false, err
		}
		if found, err := isImage(in, res.PageObject, depth-1, left); found || err != nil {
			return found, err
		}
	}
	return false, nil
}
