package extract

import (
	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// properties writes what the document says of itself.
func (p *pdf) properties(in *instance) error {
	for _, name := range []string{"Title", "Author", "Subject", "Keywords"} {
		res, err := in.api.FPDF_GetMetaText(&requests.FPDF_GetMetaText{Document: in.doc, Tag: name})
		if err != nil && !refusedBy(err) {
			return err
		}
		if err == nil {
			if err := p.field(name, 0, res.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// notes writes what is written into the annotations of a page: the values of a form's fields, by their names, comments, and where
// links lead. A value that only another annotation of the same field holds is not found.
func (p *pdf) notes(in *instance, page requests.Page) error {
	n, err := in.api.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: page})
	if err != nil {
		return err
	}
	for i := range n.Count {
		res, err := in.api.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: page, Index: i})
		if err == nil {
			err = p.note(in, res.Annotation)
		}
		if err != nil && !refusedBy(err) {
			return err
		}
	}
	return nil
}

func (p *pdf) note(in *instance, a references.FPDF_ANNOTATION) error {
	kind, err := in.api.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: a})
	if err != nil {
		return err
	}
	switch kind.Subtype {
	case enums.FPDF_ANNOT_SUBTYPE_WIDGET:
		err = p.widget(in, a)
	case enums.FPDF_ANNOT_SUBTYPE_LINK:
		err = p.link(in, a)
	case enums.FPDF_ANNOT_SUBTYPE_FILEATTACHMENT:
		err = p.attachment(in, a)
	default:
		var text string
		if text, err = p.value(in, a, "Contents"); err == nil {
			err = p.field("", p.next+1, text)
		}
	}
	if err != nil {
		return err
	}
	_, err = in.api.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: a})
	return err
}

// widget writes the value of a field by its name: that for people, or the other.
func (p *pdf) widget(in *instance, a references.FPDF_ANNOTATION) error {
	text, err := p.value(in, a, "V")
	if err != nil || text == "" {
		return err
	}
	name, err := p.value(in, a, "TU")
	if err == nil && name == "" {
		name, err = p.value(in, a, "T")
	}
	if err != nil {
		return err
	}
	return p.field(name, p.next+1, text)
}

// value is a text of an annotation, or "".
func (p *pdf) value(in *instance, a references.FPDF_ANNOTATION, key string) (string, error) {
	res, err := in.api.FPDFAnnot_GetStringValue(&requests.FPDFAnnot_GetStringValue{Annotation: a, Key: key})
	switch {
	case err == nil:
		return res.Value, nil
	case refusedBy(err):
		return "", nil
	}
	return "", err
}

// link writes where a link leads.
func (p *pdf) link(in *instance, a references.FPDF_ANNOTATION) error {
	link, err := in.api.FPDFAnnot_GetLink(&requests.FPDFAnnot_GetLink{Annotation: a})
	if err != nil {
		return err
	}
	action, err := in.api.FPDFLink_GetAction(&requests.FPDFLink_GetAction{Link: link.Link})
	if err != nil || action.Action == nil {
		return err
	}
	uri, err := in.api.FPDFAction_GetURIPath(&requests.FPDFAction_GetURIPath{Document: in.doc, Action: *action.Action})
	if err != nil || uri.URIPath == nil {
		return err
	}
	return p.field("", p.next+1, *uri.URIPath)
}

// attachments takes the files out that the document has as a whole.
func (p *pdf) attachments(in *instance) error {
	n, err := in.api.FPDFDoc_GetAttachmentCount(&requests.FPDFDoc_GetAttachmentCount{Document: in.doc})
	if err != nil {
		return err
	}
	for i := range n.AttachmentCount {
		if p.full() {
			p.left += n.AttachmentCount - i
			return nil
		}
		res, err := in.api.FPDFDoc_GetAttachment(&requests.FPDFDoc_GetAttachment{Document: in.doc, Index: i})
		if err == nil {
			err = p.take(in, res.Attachment)
		}
		if err != nil && !refusedBy(err) {
			return err
		}
	}
	return nil
}

// full says whether no further file is taken out.
func (p *pdf) full() bool { return p.depth > p.x.lim.Depth || p.x.entries >= p.x.lim.Entries }

// attachment takes the file out that an annotation is.
func (p *pdf) attachment(in *instance, a references.FPDF_ANNOTATION) error {
	res, err := in.api.FPDFAnnot_GetFileAttachment(&requests.FPDFAnnot_GetFileAttachment{Document: in.doc, Annotation: a})
	switch {
	case err != nil && !refusedBy(err):
		return err
	case err != nil || p.full():
		p.left++
		return nil
	}
	return p.take(in, res.Attachment)
}

// take takes a file out, within the limits of archives.
func (p *pdf) take(in *instance, ref references.FPDF_ATTACHMENT) error {
	p.x.entries++
	name, err := in.api.FPDFAttachment_GetName(&requests.FPDFAttachment_GetName{Attachment: ref})
	if err != nil && !refusedBy(err) {
		return err
	}
	res, err := in.api.FPDFAttachment_GetFile(&requests.FPDFAttachment_GetFile{Attachment: ref})
	switch {
	case err != nil && !refusedBy(err):
		return err
	case err != nil || p.x.held+int64(len(res.Contents)) > p.x.lim.Input:
		p.left++
		return nil
	}
	a := attached{name: "attachment", b: res.Contents}
	if name != nil && name.Name != "" {
		a.name = name.Name
	}
	p.kept += int64(len(a.b))
	p.x.held += int64(len(a.b))
	p.files = append(p.files, a)
	return p.x.charge(int64(len(a.b)))
}
