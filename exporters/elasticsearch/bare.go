package elasticsearch

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"
)

// unfitTag marks a document without the vendor's own fields.
const unfitTag = "vendor_fields_unfit"

// bare sends once more, without the vendor's own fields, the documents in which just those do not fit the index: a member that
// is sometimes a text and sometimes an object, or one field more than the index may have. event.original still has them. What
// is left comes back.
func (p *pass) bare(poison []refused) (left []refused) {
	b := new(bulk)
	for _, r := range poison {
		if r.op.bare || !vendorsFault(r) {
			left = append(left, r)
			continue
		}
		w := r.op.view.Copy()
		tags, _ := w.Log.Attributes().GetOrPutEmpty("tags")
		if one := tags.Str(); tags.Type() != pcommon.ValueTypeSlice {
			if list := tags.SetEmptySlice(); one != "" {
				list.AppendEmpty().SetStr(one)
			}
		}
		tags.Slice().AppendEmpty().SetStr(unfitTag)
		p.create(b, op{view: w, id: r.op.id, rec: r.op.rec, bare: true}, w.Str("event.dataset"))
		p.log.Warn("the vendor's own fields of a document do not fit the index and are left out", zap.String("reason", r.why.Reason))
	}
	p.send(b.buf, b.ops)
	return left
}

// vendorsFault says whether a document was refused for what lies below the root of its vendor.
func vendorsFault(r refused) bool {
	root := r.op.view.Str("event.module")
	return root != "" && (strings.Contains(r.why.Reason, "["+root+".") || strings.Contains(r.why.Reason, "["+root+"]") ||
		strings.Contains(r.why.Reason, "Limit of total fields"))
}
