package event

import (
	"math/bits"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// value writes a leaf from a field.
func (c *ocsfEncoder) value(l *leaf, v pcommon.Value) {
	if l.conv > convEnum {
		c.enumerated(l, c.captionOf(l.conv, v))
		return
	}
	c.dst = append(c.dst, l.name...)
	if l.conv >= convList {
		c.list(l.conv, v)
		return
	}
	switch l.conv {
	case convJoin:
		c.joined(v)
		return
	case convLat, convLon:
		f, _ := coordinate(l.conv, v)
		c.dst = appendFloat(c.dst, f)
		return
	}
	v, _ = scalar(v)
	switch l.conv {
	case convInt, convPort:
		n, _ := whole(v)
		c.dst = strconv.AppendInt(c.dst, n, 10)
	case convBool:
		c.dst = strconv.AppendBool(c.dst, v.Bool())
	case convTime:
		t, _ := ParseTime(v.AsString())
		c.dst = appendMillis(c.dst, t)
	case convPublic:
		c.dst = strconv.AppendBool(c.dst, v.AsString() == "public")
	default:
		c.dst = appendString(c.dst, v.AsString())
	}
}

// captionOf is the number that a value stands for.
func (c *ocsfEncoder) captionOf(cv conv, v pcommon.Value) caption {
	if cv != convSeverity {
		return enum(cv, first(v))
	}
	v, _ = scalar(v)
	n, ok := whole(v)
	if c.alert {
		n++
	}
	if !ok || n < 1 || n >= int64(len(severities)) {
		return caption{99, v.AsString()}
	}
	return caption{int(n), severities[n]}
}

func (c *ocsfEncoder) enumerated(l *leaf, e caption) {
	c.dst = appendString(append(c.dst, l.name...), e.text)
	c.dst = strconv.AppendInt(append(append(c.dst, ','), l.id...), int64(e.id), 10)
}

// list writes a list of texts or of small objects.
func (c *ocsfEncoder) list(cv conv, v pcommon.Value) {
	c.dst = append(c.dst, '[')
	if v.Type() == pcommon.ValueTypeSlice {
		for i, e := range v.Slice().All() {
			if i > 0 {
				c.dst = append(c.dst, ',')
			}
			c.element(cv, e.AsString())
		}
	} else {
		c.element(cv, v.AsString())
	}
	c.dst = append(c.dst, ']')
}

func (c *ocsfEncoder) element(cv conv, s string) {
	switch cv {
	case convFactors:
		c.pair(`{"factor_type_id":`, `,"factor_type":`, enum(cv, s))
	case convLabels:
		c.pair(`{"confidentiality_id":`, `,"confidentiality":`, enum(cv, s))
	case convFound:
		c.dst = append(appendString(append(c.dst, `{"type":`...), s), '}')
	default:
		c.dst = appendString(c.dst, s)
	}
}

func (c *ocsfEncoder) pair(id, name string, e caption) {
	c.dst = append(strconv.AppendInt(append(c.dst, id...), int64(e.id), 10), name...)
	c.dst = append(appendString(c.dst, e.text), '}')
}

// joined writes a list as one text.
func (c *ocsfEncoder) joined(v pcommon.Value) {
	if v.Type() != pcommon.ValueTypeSlice {
		c.dst = appendString(c.dst, v.AsString())
		return
	}
	c.dst = append(c.dst, '"')
	for i, e := range v.Slice().All() {
		if i > 0 {
			c.dst = append(c.dst, ", "...)
		}
		c.dst = appendEscaped(c.dst, e.AsString())
	}
	c.dst = append(c.dst, '"')
}

// calculate writes a leaf that no field gives.
func (c *ocsfEncoder) calculate(l *leaf) {
	if l.calc == calcText {
		c.dst = append(c.dst, l.text...)
		return
	}
	c.dst = append(c.dst, l.name...)
	switch l.calc {
	case calcTime:
		at := c.w.Log.Timestamp()
		if at == 0 {
			at = c.observed()
		}
		c.dst = appendMillis(c.dst, at.AsTime())
	case calcOriginalTime:
		c.dst = append(appendTime(append(c.dst, '"'), c.w.Log.Timestamp().AsTime()), '"')
	case calcLogged:
		c.dst = appendMillis(c.dst, c.observed().AsTime())
	case calcProcessed:
		c.dst = appendMillis(c.dst, c.e.Ingested)
	case calcVersion:
		c.dst = append(append(append(c.dst, '"'), OCSFVersion...), '"')
	case calcProfiles:
		c.profiles()
	case calcModule, calcInstead:
		module := c.str(idModule)
		if module == "" {
			module = scopeName
		}
		c.dst = appendString(c.dst, module)
	case calcRaw:
		c.dst = append(appendValid(append(c.dst, '"'), c.raw), '"')
	case calcSize:
		c.dst = strconv.AppendInt(c.dst, int64(len(c.w.Raw())), 10)
	case calcHash:
		c.dst = append(c.dst, `{"algorithm":"SHA-256","algorithm_id":3,"value":"`...)
		c.dst = append(appendHash(c.dst, c.raw), `"}`...)
	case calcObservables:
		c.observables()
	case calcUnmapped:
		c.unmapped()
	}
}

func (c *ocsfEncoder) profiles() {
	c.dst = append(c.dst, '[')
	for i, name := range profileNames {
		if c.uses&(1<<i) != 0 {
			c.dst = append(append(append(c.dst, '"'), name...), `",`...)
		}
	}
	c.dst[len(c.dst)-1] = ']' // a document always has the profile cloud
}

var observableTypes = [...]string{relUser: `{"type":"User Name","type_id":4,"value":`, relIP: `{"type":"IP Address","type_id":2,"value":`,
	relHosts: `{"type":"Hostname","type_id":1,"value":`, relHash: `{"type":"Hash","type_id":8,"value":`}

const (
	emailObservable  = `{"type":"Email Address","type_id":5,"value":`
	userIDObservable = `{"type_id":31,"value":`
)

// userIDs are fields that hold the id of a user.
var userIDs = func() (ids []int) {
	for _, name := range []string{"user.id", "user.target.id", "user.effective.id", "user.changes.id", "client.user.id", "saas.file.owner.id",
		"entity.id"} {
		ids = append(ids, fieldID(name))
	}
	return ids
}()

func (c *ocsfEncoder) observables() {
	c.dst = append(c.dst, '[')
	for rel := relUser; rel <= relHash; rel++ {
		id := idRelated[rel]
		if !c.has(id) {
			continue
		}
		if v := c.vals[id]; v.Type() != pcommon.ValueTypeSlice {
			c.observable(rel, v.AsString())
		} else {
			for _, e := range v.Slice().All() {
				c.observable(rel, e.AsString())
			}
		}
	}
	c.dst[len(c.dst)-1] = ']'
}

func (c *ocsfEncoder) observable(rel int, s string) {
	begin := observableTypes[rel]
	if rel == relUser {
		if strings.IndexByte(s, '@') > 0 && isEmail(s) {
			begin = emailObservable
		} else {
			for _, id := range userIDs {
				if c.has(id) && c.str(id) == s {
					begin = userIDObservable
				}
			}
		}
	}
	c.dst = append(appendString(append(c.dst, begin...), s), `},`...)
}

func (c *ocsfEncoder) hasUnmapped() bool {
	for i, set := range c.set {
		if set&^c.placed[i] != 0 {
			return true
		}
	}
	return len(c.extra) > 0
}

// unmapped writes what has no place, by its name.
func (c *ocsfEncoder) unmapped() {
	c.dst = append(c.dst, '{')
	for word, set := range c.set {
		for set &^= c.placed[word]; set != 0; set &= set - 1 {
			id := word<<6 + bits.TrailingZeros64(set)
			c.dst = append(append(append(c.dst, '"'), fieldTable[id].name...), `":`...)
			c.dst = append(appendValue(c.dst, c.vals[id]), ',')
		}
	}
	for _, x := range c.extra {
		c.dst = append(appendString(c.dst, x.name), ':')
		c.dst = append(appendValue(c.dst, x.val), ',')
	}
	c.dst[len(c.dst)-1] = '}'
}
