package event

import "strings"

// Exported is where a document has a field of the provider's object, which is named as the provider names it, in any case:
// debugContext.debugData.requestUri of okta is okta.debug_context.debug_data.request_uri. It is "" when the module's fields are
// not known. A name in another case than the provider's is found when the module's Layout has it.
func Exported(module, dataset, path string) string {
	table := vendors.table.Load()
	if table == nil || path == "" || strings.HasPrefix(dataset, "saas.") {
		return ""
	}
	v := (*table)[module]
	if v == nil {
		return ""
	}
	if name := v.Names[strings.ToLower(path)]; name != "" {
		return name
	}
	name := []byte(v.Root)
	if v.Root == "" {
		name = append(name, dataset...)
	}
	member, rest, below := strings.Cut(path, ".")
	if text := v.textName(member); text != "" && below {
		return string(name) + "." + asSent + "." + text + "." + rest
	} else if text != "" {
		return string(name) + "." + text
	}
	n := v.top
	for step := range strings.SplitSeq(path, ".") {
		var to *node
		name = append(name, '.')
		start := len(name)
		name, to = v.outName(name, n, []byte(step), v.Snake)
		if len(name) == start {
			return ""
		}
		if n = to; n != nil && len(n.elems) > 0 {
			n = n.elems[0].to
		}
	}
	return string(name)
}
