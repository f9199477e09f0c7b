package extract

import "bufio"

func (x *run) readXML(r *bufio.Reader, f file, form form) (status, error) {
	return x.readText(r, f, form)
}
func (x *run) readHTML(r *bufio.Reader, f file, form form) (status, error) {
	return x.readText(r, f, form)
}
func (x *run) readOLE(r *bufio.Reader, f file, form form) (status, error) {
	return x.refuse(r, f, form)
}
func (x *run) readWorkbook(p *parts) error { return nil }
func (x *run) readSlides(p *parts) error   { return nil }
