package main

import (
	"fmt"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
)

// fieldsPage is what the registry says of the fields of a record.
func fieldsPage() string {
	var own, ecs strings.Builder
	n := 0
	for f := range event.Fields() {
		b := &ecs
		if strings.HasPrefix(f.Name, "saas.") {
			b, n = &own, n+1
		}
		typ := f.Type
		if f.List {
			typ += " list"
		}
		places := strings.Join(f.OCSF, "`, `")
		if places != "" {
			places = "`" + places + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", f.Name, typ, cell(f.Meaning), places)
	}
	const head = "| field | type | meaning | in OCSF |\n| --- | --- | --- | --- |\n"
	return "<!-- Written by `go generate ./cmd/longshore` from internal/event/fields.tsv; change it there. -->\n# Fields of a record\n\n" +
		"Types are Elasticsearch's. Beside these fields a record has the vendor's own, below its name ([records.md](records.md)).\n\n" +
		"The last column is where OCSF " + event.OCSFVersion + " has it. Before a colon are the classes where it is there (a letter\n" +
		"after the number tells apart how a class is used: `s` the actor is who it was done to; of 3004 the entity is the application\n" +
		"`a`, the credential `c`, the role `r` or another object `o`). Where a class lacks the place, or other fields have taken it,\n" +
		"the field is in `unmapped` by its name here. What has an empty column is always in `unmapped`.\n\n" +
		fmt.Sprintf("## saas.* (%d)\n\n%s%s\n## ECS\n\n%s%s", n, head, own.String(), head, ecs.String())
}
