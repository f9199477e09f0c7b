package event

import (
	_ "embed" // the registry
	"iter"
	"slices"
	"strings"
)

// fieldKind is how Record treats a value.
type fieldKind uint8

const (
	anyKind fieldKind = iota // a name that is not in the table: as given
	textKind
	ipKind
	longKind
	floatKind
	boolKind
	dateKind
	objectKind
)

// What related.* list takes a field's values.
const (
	relNone = iota
	relUser
	relIP
	relHosts
	relHash
	relAddress // an address or the name of a host
)

type field struct {
	name     string
	typ      string
	kind     fieldKind
	list     bool
	parallel bool // a list whose elements belong to those of its sisters: repeats and blanks keep their place
	related  uint8
	address  int // of x.ip: the number of x.address and x.port, else 0
	port     int
	parent   string // the object it stands in
	quoted   string // its last step as a JSON name, and the colon
	line     *registryLine
	alt      int // which alternative of the line's group it is
}

// registry holds every ECS and saas.* field of a record; mapping, documentation and the OCSF table are made from it. A line has,
// separated by tabs:
//
//   - a name; [] after it says a list, [=] parallel lists, {a,b} alternatives for one step;
//   - the type, of Elasticsearch;
//   - which list of related.* takes its values: user, ip, hosts, hash, address (ip or hosts), or -;
//   - where OCSF has it (see target), or -;
//   - the meaning. Here and in OCSF's places {x,y} stand for the alternatives of the name's last group.
//
//go:embed fields.tsv
var registry string

// registryLine is what all fields of a line share.
type registryLine struct{ ocsf, meaning string }

var (
	fieldTable = readFields(registry)
	fieldIndex = indexFields(fieldTable)

	idTimestamp       = fieldID("@timestamp")
	idCreated         = fieldID("event.created")
	idIngested        = fieldID("event.ingested")
	idOriginal        = fieldID("event.original")
	idKind            = fieldID("event.kind")
	idStreamType      = fieldID("data_stream.type")
	idStreamDataset   = fieldID("data_stream.dataset")
	idStreamNamespace = fieldID("data_stream.namespace")
	idModule          = fieldID("event.module")
	idDataset         = fieldID("event.dataset")
	idAction          = fieldID("event.action")
	idType            = fieldID("event.type")
	idOutcome         = fieldID("event.outcome")
	idSeverity        = fieldID("event.severity")
	idID              = fieldID("event.id")
	idHash            = fieldID("event.hash")
	idEntityType      = fieldID("entity.type")
	idEntityID        = fieldID("entity.id")
	idRelationships   = fieldID("entity.relationships")
	idRelated         = [...]int{relUser: fieldID("related.user"), relIP: fieldID("related.ip"), relHosts: fieldID("related.hosts"),
		relHash: fieldID("related.hash")}
)

var kinds = map[string]fieldKind{"ip": ipKind, "long": longKind, "float": floatKind, "boolean": boolKind, "date": dateKind,
	"flattened": objectKind, "nested": objectKind, "object": objectKind, "geo_point": objectKind}

var relations = map[string]uint8{"-": relNone, "user": relUser, "ip": relIP, "hosts": relHosts, "hash": relHash, "address": relAddress}

func readFields(text string) []field {
	table := make([]field, 0, 512)
	for line := range strings.Lines(text) {
		if line[0] == '#' {
			continue
		}
		var col [5]string
		rest := strings.TrimSuffix(line, "\n")
		for i := range col {
			col[i], rest, _ = strings.Cut(rest, "\t")
		}
		if col[4] == "" || rest != "" {
			panic("event: a line of the registry has not five columns: " + line)
		}
		related, known := relations[col[2]]
		if !known {
			panic("event: no list related." + col[2])
		}
		shared := &registryLine{ocsf: col[3], meaning: col[4]}
		kind, ok := kinds[col[1]]
		if !ok {
			kind = textKind
		}
		names, group := alternatives(col[0])
		for i, name := range names {
			f := field{typ: col[1], kind: kind, related: related, line: shared, alt: i % group}
			f.name, f.parallel = strings.CutSuffix(name, "[=]")
			f.name, f.list = strings.CutSuffix(f.name, "[]")
			f.list = f.list || f.parallel
			table = append(table, f)
		}
	}
	slices.SortFunc(table, func(a, b field) int { return compareNames(a.name, b.name) })
	index := indexFields(table)
	for i := range table {
		at := strings.LastIndexByte(table[i].name, '.')
		table[i].parent, table[i].quoted = table[i].name[:max(at, 0)], `"`+table[i].name[at+1:]+`":`
		if parent, ok := strings.CutSuffix(table[i].name, ".ip"); ok {
			table[i].address, table[i].port = index[parent+".address"], index[parent+".port"]
		}
	}
	return table
}

// alternatives expands every {a,b} in a word, and says how many alternatives its last group has.
func alternatives(word string) (words []string, group int) {
	open := strings.IndexByte(word, '{')
	if open < 0 {
		return []string{word}, 1
	}
	end := open + strings.IndexByte(word[open:], '}')
	rest, group := alternatives(word[end+1:])
	alts := strings.Split(word[open+1:end], ",")
	if len(rest) == 1 {
		group = len(alts)
	}
	for _, alt := range alts {
		for _, r := range rest {
			words = append(words, word[:open]+alt+r)
		}
	}
	return words, group
}

// alternative is a text with the nth alternative of every group.
func alternative(text string, n int) string {
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			return text
		}
		end := open + strings.IndexByte(text[open:], '}')
		text = text[:open] + strings.Split(text[open+1:end], ",")[n] + text[end+1:]
	}
}

// compareNames orders names so that what lies below one object stands together: a dot sorts before everything else.
func compareNames(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			switch {
			case a[i] == '.':
				return -1
			case b[i] == '.':
				return 1
			}
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}

func indexFields(table []field) map[string]int {
	index := make(map[string]int, len(table))
	for i, f := range table {
		if _, twice := index[f.name]; twice {
			panic("event: field " + f.name + " is listed twice")
		}
		index[f.name] = i
	}
	return index
}

func fieldID(name string) int {
	if id, ok := fieldIndex[name]; ok {
		return id
	}
	return -1
}

// FieldTypes iterates over the names and Elasticsearch types of all ECS and saas.* fields of a record, in order.
func FieldTypes() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := range fieldTable {
			if !yield(fieldTable[i].name, fieldTable[i].typ) {
				return
			}
		}
	}
}

// FieldInfo describes a field.
type FieldInfo struct {
	Name, Type string
	List       bool
	OCSF       []string // where it is in OCSF; before a colon the class, where the place depends on it. None: in unmapped
	Meaning    string
}

// Fields iterates over all ECS and saas.* fields of a record, in order.
func Fields() iter.Seq[FieldInfo] {
	return func(yield func(FieldInfo) bool) {
		for i := range fieldTable {
			f := &fieldTable[i]
			info := FieldInfo{Name: f.name, Type: f.typ, List: f.list, Meaning: alternative(f.line.meaning, f.alt)}
			for _, t := range f.targets() {
				info.OCSF = append(info.OCSF, t.String())
			}
			if !yield(info) {
				return
			}
		}
	}
}

// FieldType is the type of a field: keyword, date, long, float, boolean, ip …; "" for a name that is not in the table.
func FieldType(name string) string {
	if id := fieldID(name); id >= 0 {
		return fieldTable[id].typ
	}
	if strings.HasPrefix(name, "labels.") {
		return "keyword"
	}
	return ""
}
