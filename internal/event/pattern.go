package event

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Texts of a document that are no attributes. Those before textOriginal need no escapes.
const (
	textTimestamp = iota
	textCreated
	textIngested
	textHash
	textOriginal
	textStreamType
	textStreamDataset
	textStreamNamespace
	numTexts
)

var textIDs = [numTexts]int{idTimestamp, idCreated, idIngested, idHash, idOriginal, idStreamType, idStreamDataset, idStreamNamespace}

// Bounds of what an encoder remembers of documents.
const (
	maxPatterns     = 256
	maxBranches     = 8192
	maxBeside       = 32 // branches that begin in one place
	maxPatternName  = 128
	maxPatternNames = 512
	patternCost     = 4 // documents written by patterns that pay for another one
	maxPatternDebt  = 1024
)

// patterns are how documents of each kind are written: records of one kind have the same names in the same order, so that only
// the values differ. They are found by the names, from branch to branch.
type patterns struct {
	root     branch
	made     int // patterns
	branches int
	debt     int // of patterns that were not used often enough yet: records of which no two are alike are not all learned
}

// branch is where records are that have the same names so far.
type branch struct {
	name          string
	below, beside *branch // the first after this name; another one instead of it
	module        int     // place of event.module among the attributes, -1 = none
	dataset       int
	patterns      []*pattern // of records that end here
}

// pattern is a kind of documents.
type pattern struct {
	texts uint   // which it has, a bit for each
	root  string // of the vendor, "" = none
	text  string // all that stands between the values
	steps []step
}

// step is a value of a document.
type step struct {
	before uint16 // length of the text before it
	from   int16  // place among the attributes; negative: ^ of a text, or fromRoot
	list   bool   // what is no list becomes one
}

const fromRoot = ^numTexts // the vendor root

// find goes on from a branch by the names of m, and gathers the values; nil = no record had them.
func (c *encoder) find(at *branch, m pcommon.Map) *branch {
	vals := c.vals
	for name, val := range m.All() {
		for at = at.below; at != nil && at.name != name; {
			at = at.beside
		}
		if at == nil {
			break
		}
		vals = append(vals, val)
	}
	c.vals = vals
	return at
}

// repeat writes a document by its pattern; false when there is none, or when the document departs from it.
func (c *encoder) repeat(w View, e Encoding) bool {
	at := c.find(&c.patterns.root, w.Log.Attributes())
	if at != nil {
		at = c.find(at, w.Res.Resource().Attributes())
	}
	if at == nil || len(at.patterns) == 0 {
		return false
	}
	root := c.gather(w, e, c.textAt(at.module), c.textAt(at.dataset))
	for _, p := range at.patterns {
		if p.texts == c.has && p.root == root {
			return c.follow(p)
		}
	}
	return false
}

func (c *encoder) textAt(i int) string {
	if i < 0 {
		return ""
	}
	return c.vals[i].AsString()
}

// follow writes the values of a document into the text of a pattern.
func (c *encoder) follow(p *pattern) bool {
	dst, text := c.dst, p.text
	for i := range p.steps {
		s := &p.steps[i]
		dst, text = append(dst, text[:s.before]...), text[s.before:]
		switch {
		case s.from >= 0:
			val := c.vals[s.from]
			switch typ := val.Type(); {
			case typ == pcommon.ValueTypeEmpty:
				return false
			case s.list && typ != pcommon.ValueTypeSlice:
				dst = append(appendValue(append(dst, '['), val), ']')
			case typ == pcommon.ValueTypeStr:
				dst = appendString(dst, val.Str())
			default:
				dst = appendValue(dst, val)
			}
		case s.from == fromRoot:
			start, ok := len(dst), false
			if dst, ok = c.w.members(dst); !ok || len(dst) == start {
				return false
			}
		default:
			dst = c.appendText(dst, int(^s.from))
		}
	}
	c.dst = append(dst, text...)
	c.patterns.debt = max(c.patterns.debt-1, 0)
	return true
}

func (c *encoder) appendText(dst []byte, i int) []byte {
	switch {
	case i < textOriginal:
		return append(append(append(dst, '"'), c.texts[i]...), '"')
	case i == textOriginal && c.w.escapes && c.w.bridges():
		return append(append(append(dst, '"'), c.w.escaped...), '"')
	case i == textOriginal:
		return append(appendValid(append(dst, '"'), c.texts[i]), '"')
	}
	return appendString(dst, c.texts[i])
}

// note makes the value that is about to be written a step of the pattern, start being where the value before it ended.
func (c *encoder) note(start int, it *item) {
	if c.learns {
		list := it.id >= 0 && fieldForms[it.id].list
		c.text = append(c.text, c.dst[start:]...)
		c.steps = append(c.steps, step{uint16(len(c.dst) - start), int16(it.from), list})
	}
}

// learn keeps what was noted of a document that was written without a pattern.
func (c *encoder) learn(w View, root string) {
	ps := &c.patterns
	if len(root) > maxPatternName {
		return
	}
	if ps.made >= maxPatterns || ps.branches >= maxBranches {
		*ps = patterns{debt: ps.debt}
	}
	n := 0
	at := &ps.root
	for _, m := range [...]pcommon.Map{w.Log.Attributes(), w.Res.Resource().Attributes()} {
		for name := range m.All() {
			if n++; n > maxPatternNames || len(name) > maxPatternName {
				return
			}
			if at = ps.after(at, name); at == nil {
				return
			}
		}
	}
	at.module, at.dataset = c.module, c.dataset
	ps.made++
	ps.debt += patternCost
	at.patterns = append(at.patterns, &pattern{texts: c.has, root: strings.Clone(root), text: string(c.text), steps: slices.Clone(c.steps)})
}

// after gives the branch of a name, and makes it if need be; nil = there are too many.
func (ps *patterns) after(at *branch, name string) *branch {
	place := &at.below
	for n := 0; *place != nil; n++ {
		if (*place).name == name {
			return *place
		}
		if n == maxBeside {
			return nil
		}
		place = &(*place).beside
	}
	if id := fieldID(name); id >= 0 {
		name = fieldTable[id].name
	} else {
		name = strings.Clone(name)
	}
	ps.branches++
	*place = &branch{name: name}
	return *place
}

// clock remembers the text of the time that it wrote last: records of a batch were read at the same time.
type clock struct {
	at   time.Time
	text []byte
}

func (k *clock) write(t time.Time) string {
	if t != k.at || len(k.text) == 0 {
		k.at, k.text = t, appendTime(k.text[:0], t)
	}
	return zeroCopy(k.text)
}
