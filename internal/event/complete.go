package event

import "go.opentelemetry.io/collector/pdata/plog"

// Entity makes it an inventory record: kind asset, entity.type, entity.id.
func (r *Record) Entity(typ, id string) {
	if r.s == nil {
		return
	}
	r.entity = true
	r.str(idKind, "asset")
	r.str(idEntityType, valid(typ))
	r.str(idEntityID, valid(id))
}

// Relate adds to entity.relationships, at most 500: {type, target: {type, id}}.
func (r *Record) Relate(rel, typ, id string) {
	if r.s == nil || unknown(id) || len(r.s.relations) >= maxRelations {
		return
	}
	r.s.relations = append(r.s.relations, [3]string{valid(rel), valid(typ), valid(id)})
}

// Delete says that the object is gone: event.type deletion, EventName entity.delete.
func (r *Record) Delete() {
	r.deleted = true
	if r.s != nil {
		r.elem(idType, "deletion")
	}
}

// Deleted says whether Delete was called.
func (r *Record) Deleted() bool { return r.deleted }

// complete adds what follows from the fields set: relationships, the copies of a user entity, related.*.
func (r *Record) complete() {
	s := r.s
	if len(s.relations) > 0 {
		s.at(idRelationships).kind = relationsValue
	}
	if r.entity {
		r.userEntity()
	}
	for i, n := 0, len(s.vals); i < n; i++ {
		v := &s.vals[i]
		if int(v.id) >= len(fieldTable) {
			continue
		}
		rel := fieldTable[v.id].related
		switch {
		case rel == relNone:
		case v.kind == strValue:
			r.relate(rel, v.str)
		case v.kind == listValue:
			for k := 0; k < len(s.vals[i].list); k++ {
				r.relate(rel, s.vals[i].list[k])
			}
		}
	}
}

// relate adds a value to a list of related.*. What stands in an address field is an address or the name of a host.
func (r *Record) relate(rel uint8, val string) {
	if rel == relAddress {
		rel = relHosts
		if _, _, ok := address(val); ok {
			rel = relIP
		}
	}
	r.elem(idRelated[rel], val)
}

// userEntity copies what describes a user to ECS's own place for it.
func (r *Record) userEntity() {
	if r.Get("entity.type") != "user" {
		return
	}
	for _, c := range userCopies {
		if !r.s.has(c[0]) {
			continue
		}
		from := *r.s.at(c[0])
		if from.kind == strValue || from.kind == boolValue {
			to := r.s.at(c[1])
			to.kind, to.str, to.num = from.kind, from.str, from.num
		}
	}
}

var userCopies = func() (ids [][2]int) {
	for _, c := range [][2]string{{"entity.id", "id"}, {"entity.type", "type"}, {"entity.sub_type", "sub_type"}, {"entity.source",
		"source"},
		{"entity.display_name", "display_name"}, {"entity.lifecycle.created", "lifecycle.created"},
		{"entity.lifecycle.changed", "lifecycle.changed"}, {"entity.lifecycle.last_activity", "lifecycle.last_activity"},
		{"entity.lifecycle.deleted", "lifecycle.deleted"}, {"saas.entity.mfa_enrolled", "attributes.mfa_enabled"}} {
		ids = append(ids, [2]int{fieldID(c[0]), fieldID("user.entity." + c[1])})
	}
	return ids
}()

func (r *Record) eventName() string {
	switch {
	case r.deleted:
		return "entity.delete"
	case r.entity:
		return "entity.state"
	case !r.s.has(idAction):
		return ""
	}
	var buf [128]byte
	name := append(buf[:0], r.b.o.Module...)
	name = append(name, '.')
	return r.b.hold(append(name, r.s.at(idAction).str...))
}

// severity maps event.severity, 1 low to 4 critical: Info, Warn, Error, Error4.
func (r *Record) severity() plog.SeverityNumber {
	if !r.s.has(idSeverity) || r.s.at(idSeverity).kind != intValue {
		return plog.SeverityNumberUnspecified
	}
	switch n := int64(r.s.at(idSeverity).num); {
	case n <= 0:
		return plog.SeverityNumberUnspecified
	case n == 1:
		return plog.SeverityNumberInfo
	case n == 2:
		return plog.SeverityNumberWarn
	case n == 3:
		return plog.SeverityNumberError
	}
	return plog.SeverityNumberError4
}
