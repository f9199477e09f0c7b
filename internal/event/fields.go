package event

import (
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
}

// fieldSpec holds every ECS and saas.* field of a record: a type, then names. After a name: [] a list, [=] parallel lists,
// @u @i @h @x also in related.user, ip, hosts, hash; @a in ip or hosts. {a,b} are the alternatives for one step.
const fieldSpec = `
date @timestamp event.created event.ingested event.start event.end file.{created,mtime,ctime,accessed}
 email.delivery_timestamp entity.lifecycle.{created,changed,last_activity,deleted}
 user.entity.lifecycle.{created,changed,last_activity,deleted}
 saas.credential.expires saas.share.link.expires saas.inventory.first_seen saas.finding.{first_seen,last_seen}
 saas.entity.{password_changed,last_login,last_used,expires,last_accessed}
long event.severity event.sequence event.duration {source,client,destination}.{port,bytes,as.number} file.size
 http.response.status_code process.pid saas.grant.user_count saas.inventory.{sequence,count,deleted} saas.action.attempts
 saas.entity.{member_count,external_member_count,finding_count,age_days} saas.finding.{confidence,count,unique_count}
float event.risk_score
boolean saas.actor.external saas.target.external saas.auth.{mfa,admin_console} saas.role.privileged saas.app.verified
 saas.grant.admin_consent saas.share.link.password saas.inventory.complete user.entity.attributes.mfa_enabled
 saas.entity.{is_admin,is_guest,mfa_enrolled,is_dynamic,is_admin_group,permanent}
ip {source,client,destination}.ip@i host.ip[]@i related.ip[]
geo_point {source,client,destination}.geo.location
nested entity.relationships
flattened saas.action.{before,after}
object labels
match_only_text message error.message
wildcard url.{original,full,path} email.message_id
constant_keyword data_stream.{type,dataset,namespace}
keyword ecs.version event.{kind,module,dataset,action,outcome,reason,code,provider,id,original,hash,url,timezone}
 event.category[] event.type[]
 organization.{id,name} agent.{type,version,id,name} log.level tags[] related.user[] related.hosts[] related.hash[]
 cloud.{provider,region,availability_zone} cloud.{account,project,instance}.{id,name} cloud.service.name
 {user,user.target,user.effective,user.changes,client.user,source.user,destination.user}.{id@u,name@u,email@u}
 {user,user.target,user.effective,user.changes,client.user,source.user,destination.user}.{full_name,domain,roles[]}
 {user,user.target,user.effective,user.changes,client.user,source.user,destination.user}.group.{id,name,domain}
 user.entity.{id,type,sub_type,source,name,display_name} group.{id,name,domain}
 {source,client,destination}.{address@a,mac,as.organization.name,domain@h}
 {source,client,destination}.geo.{city_name,continent_code,continent_name,country_iso_code,country_name}
 {source,client,destination}.geo.{region_iso_code,region_name,postal_code,timezone,name}
 user_agent.{original,name,version,device.name} {user_agent,host}.os.{name,version,full,family,platform,type}
 session.id transaction.id trace.id service.{id,name,type} application.{id,name}
 device.{id,manufacturer,serial_number,model.name,model.identifier} host.id host.type host.{name@h,hostname@h} host.mac[]
 error.{code,type} url.{domain@h,query,scheme} http.request.{method,id} network.{type,protocol,application,transport}
 tls.{version,cipher} process.name
 file.{name,path,directory,extension,mime_type,owner,type,uid,gid,target_path} file.hash.{md5@x,sha1@x,sha256@x,sha512@x}
 rule.{id,name,category,version,ruleset,description,reference,uuid} threat.framework
 threat.{tactic,technique}.id[] threat.{tactic,technique}.name[]
 email.{subject,direction,local_id,sender.address@u} email.{from,to,cc,bcc,reply_to}.address[]@u
 entity.{id,type,sub_type,name,display_name,source}
 saas.tenant saas.activity saas.actor.type saas.auth.{protocol,idp} saas.auth.method[] saas.risk.level saas.risk.reasons[]
 saas.role.{name,id,scope} saas.app.{id,name,publisher} saas.grant.scopes[] saas.change.field[=] saas.change.old[=] saas.change.new[=]
 saas.credential.{type,id} saas.file.{id,version} saas.file.owner.{email@u,id@u} saas.file.labels[]
 saas.share.{visibility,role,link.url} saas.share.recipients[]@u saas.share.external_domains[]
 saas.container.{id,name,type} saas.object.{type,id,name} saas.inventory.{run_id,content_hash}
 saas.entity.{status,manager,department,employee_type,visibility,assigned_by,path} saas.entity.mfa_methods[]
 saas.entity.license[] saas.entity.aliases[] saas.entity.owners[]@u
 saas.finding.{status,scan,location} saas.finding.data_type[] saas.finding.sample_redacted[] saas.finding.fingerprint[]
 saas.action.{id,plan_id,mode,requested_by,approved_by,policy,finding_id,entity_id}
`

var (
	fieldTable = readFields(fieldSpec)
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

var relations = map[string]uint8{"": relNone, "u": relUser, "i": relIP, "h": relHosts, "x": relHash, "a": relAddress}

func readFields(spec string) []field {
	var table []field
	for line := range strings.Lines(strings.ReplaceAll(strings.TrimSpace(spec), "\n ", " ")) {
		words := strings.Fields(line)
		for _, word := range words[1:] {
			for _, w := range alternatives(word) {
				f := field{typ: words[0], kind: textKind}
				if k, ok := kinds[f.typ]; ok {
					f.kind = k
				}
				w, rel, _ := strings.Cut(w, "@")
				if w == "" { // @timestamp
					w, rel = word, ""
				}
				f.related = relations[rel]
				f.name, f.parallel = strings.CutSuffix(w, "[=]")
				f.name, f.list = strings.CutSuffix(f.name, "[]")
				f.list = f.list || f.parallel
				table = append(table, f)
			}
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

// alternatives expands every {a,b} in a word.
func alternatives(word string) []string {
	open := strings.IndexByte(word, '{')
	if open < 0 {
		return []string{word}
	}
	end := open + strings.IndexByte(word[open:], '}')
	var out []string
	for alt := range strings.SplitSeq(word[open+1:end], ",") {
		out = append(out, alternatives(word[:open]+alt+word[end+1:])...)
	}
	return out
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
