package extract

// rtfSigns are control words that stand for a character.
var rtfSigns = map[string]rune{
	"par": '\n', "sect": '\n', "page": '\n', "row": '\n', "nestrow": '\n', "column": '\n', "line": '\v', "softline": '\v',
	"tab": '\t', "cell": '\t', "nestcell": '\t', "emdash": '—', "endash": '–', "emspace": ' ', "enspace": ' ', "qmspace": ' ',
	"bullet": '•', "lquote": '‘', "rquote": '’', "ldblquote": '“', "rdblquote": '”', "zwj": 0x200d, "zwnj": 0x200c,
}

// rtfGroups are destinations that are not part of the text, by where their text goes. Those that are not here are text, unless
// who does not know them may leave them out.
var rtfGroups = map[string]rtfTo{
	"fonttbl": rtfFonts, "colortbl": rtfNowhere, "stylesheet": rtfNowhere, "pict": rtfNowhere, "objdata": rtfNowhere,
	"listtable": rtfNowhere, "listoverridetable": rtfNowhere, "rsidtbl": rtfNowhere, "generator": rtfNowhere,
	"xmlnstbl": rtfNowhere, "themedata": rtfNowhere, "colorschememapping": rtfNowhere, "latentstyles": rtfNowhere,
	"datastore": rtfNowhere, "mmathPr": rtfNowhere, "wgrffmtfilter": rtfNowhere, "filetbl": rtfSide, "revtbl": rtfSide,
	"info": rtfSide, "title": rtfSide, "subject": rtfSide, "author": rtfSide, "manager": rtfSide, "company": rtfSide,
	"operator": rtfSide, "category": rtfSide, "keywords": rtfSide, "comment": rtfSide, "doccomm": rtfSide, "hlinkbase": rtfSide,
	"userprops": rtfSide, "propname": rtfSide, "staticval": rtfSide, "fldinst": rtfSide, "datafield": rtfNowhere,
	"htmltag": rtfSide, "mhtmltag": rtfNowhere, "annotation": rtfSide, "atnid": rtfSide, "atnauthor": rtfSide, "shpinst": rtfBody,
	"shptxt": rtfBody, "footnote": rtfSide, "falt": rtfNowhere, "panose": rtfNowhere, "bkmkstart": rtfNowhere,
	"bkmkend": rtfNowhere, "nonshppict": rtfNowhere, "shppict": rtfBody, "objclass": rtfNowhere, "objname": rtfNowhere,
	"xe": rtfSide, "tc": rtfSide, "txe": rtfSide, "pntext": rtfBody, "listtext": rtfBody, "pn": rtfNowhere, "pnseclvl": rtfNowhere,
	"formfield": rtfSide, "ffdeftext": rtfSide, "ffhelptext": rtfSide, "ffstattext": rtfSide, "ffl": rtfSide, "ffname": rtfNowhere,
	"sp": rtfSide, "sn": rtfNowhere, "sv": rtfSide, "docvar": rtfSide, "nesttableprops": rtfBody, "nonesttables": rtfNowhere,
	"upr": rtfBody, "ud": rtfBody, "headerl": rtfBody, "pgptbl": rtfNowhere, "ftnsep": rtfNowhere, "ftnsepc": rtfNowhere,
	"aftnsep": rtfNowhere, "aftnsepc": rtfNowhere, "fldtype": rtfNowhere, "picprop": rtfNowhere, "blipuid": rtfNowhere,
	"creatim": rtfNowhere, "revtim": rtfNowhere, "printim": rtfNowhere, "buptim": rtfNowhere, "listname": rtfNowhere,
}

// act does what a control word says.
func (d *rtf) act(name string, n int, star bool) error {
	if r, ok := rtfSigns[name]; ok {
		return d.sign(r)
	}
	switch name {
	case "u":
		return d.unicode(n)
	case "bin":
		if n > 0 {
			_, err := d.r.Discard(n)
			return err
		}
		return nil
	}
	if d.skip > 0 {
		d.skip--
		return nil
	}
	if err := d.flush(); err != nil {
		return err
	}
	switch name {
	case "uc":
		d.now.uc = max(0, min(n, 1<<10))
	case "f":
		d.now.font = n
		if d.now.to == rtfFonts {
			d.font = n
		}
	case "plain":
		d.now.font = -1
	case "fcharset":
		d.page(fontCharset(n))
	case "cpg":
		d.page(n)
	case "deff":
		d.first = n
	case "ansicpg":
		d.ansi = n
	case "mac":
		d.ansi = 10000
	case "pc":
		d.ansi = 437
	case "pca":
		d.ansi = 850
	default:
		d.group(name, star)
	}
	return nil
}

// page sets the code page of the font that is being told of.
func (d *rtf) page(n int) {
	if d.now.to == rtfFonts && n != 0 && len(d.fonts) < rtfMaxFonts {
		d.fonts[d.font] = n
	}
}

// group begins a destination. What is in one that has no text has none either.
func (d *rtf) group(name string, star bool) {
	to, known := rtfGroups[name]
	if name == "objdata" {
		d.objects++
	}
	switch {
	case d.now.to == rtfFonts:
		if known || star {
			d.now.to = rtfNowhere // other names of a font
		}
	case d.now.to == rtfNowhere:
	case known:
		d.now.to = to
	case star && name != "cs" && name != "ts" && name != "ds": // styles
		d.now.to = rtfNowhere
	}
}
