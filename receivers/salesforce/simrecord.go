package salesforce

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// simChange is how records of an object can be changed, and the permission for it.
type simChange struct {
	create, remove bool
	fields         string // that can be changed
	needs          string
}

var simChanges = map[string]simChange{
	"UserLogin":                {false, false, "IsFrozen IsPasswordLocked", "FreezeUsers"},
	"User":                     {false, false, "IsActive ProfileId UserRoleId Email Username FederationIdentifier", "ManageUsers"},
	"AuthSession":              {false, true, "", "ManageUsers"},
	"PermissionSetAssignment":  {true, true, "ExpirationDate", "ManageUsers"},
	"GroupMember":              {true, true, "", "ManageUsers"},
	"CollaborationGroupMember": {true, true, "CollaborationRole", "ModifyAllData"},
	"ContentDistribution":      {true, true, "PreferencesExpires ExpiryDate PreferencesPasswordRequired", "ModifyAllData"},
	"ContentDocumentLink":      {true, true, "ShareType Visibility", "ModifyAllData"},
	"ContentDocument":          {false, true, "OwnerId ParentId Title Description", "ModifyAllData"},
	"ContentVersion":           {true, false, "Title Description ReasonForChange", "ModifyAllData"},
	"Attachment":               {false, true, "Name OwnerId IsPrivate", "ModifyAllData"},
	"Document":                 {false, true, "Name FolderId IsPublic", "ModifyAllData"},
}

// recordRoutes registers what is about single records.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_retrieve.htm
func (s *simOrg) recordRoutes(add func(string, func(*simCall))) {
	add("GET /sobjects", func(c *simCall) {
		var all []obj
		for _, o := range simObjects {
			if s.sees(c, o.name) && o.prefix != "" {
				all = append(all, obj{"name": o.name, "keyPrefix": o.prefix, "queryable": true})
			}
		}
		c.json(http.StatusOK, obj{"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": all})
	})
	add("GET /sobjects/{object}/describe", s.describe)
	add("POST /sobjects/{object}", s.create)
	add("GET /sobjects/{object}/{id}", s.one)
	add("PATCH /sobjects/{object}/{id}", s.update)
	add("DELETE /sobjects/{object}/{id}", s.delete)
	add("GET /sobjects/{object}/{id}/{part}", s.part)
	add("DELETE /sobjects/User/{id}/password", s.password)
	add("POST /sobjects/User/{id}/password", s.password)
}

// target finds the record of the path, or answers why not.
func (s *simOrg) target(c *simCall) (*simSchema, string, simRow) {
	o := s.schemas[strings.ToLower(c.path("object"))]
	if c.path("object") == "" {
		o = s.schemas["user"]
	}
	if o == nil || !s.sees(c, o.name) {
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return nil, "", nil
	}
	id := simLong(c.path("id"))
	row := s.find(id)
	if o.name == "ContentDocumentLink" {
		row = s.linkRow(id)
	}
	switch {
	case row == nil || id[:3] != o.prefix:
		s.fault(c, &simFault{http.StatusNotFound, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: " + id})
	case row["IsDeleted"] == true:
		s.fault(c, &simFault{http.StatusNotFound, "ENTITY_IS_DELETED", "entity is deleted"})
	default:
		return o, id, row
	}
	return nil, "", nil
}

// describe is the description of an object.
func (s *simOrg) describe(c *simCall) {
	o := s.schemas[strings.ToLower(c.path("object"))]
	if o == nil || !s.sees(c, o.name) {
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return
	}
	var fields []obj
	for _, f := range o.list {
		rules, ruled := simRules[o.name]
		if slices.Contains(simStores, o.name) {
			rules, ruled = []string{"EventDate", "EventIdentifier"}, true
		}
		able := f.kind != "base64" && (!ruled || slices.Contains(rules, f.name))
		entry := obj{"name": f.name, "type": f.kind, "filterable": able, "sortable": able}
		if f.to != "" {
			entry["relationshipName"], entry["referenceTo"] = strings.TrimSuffix(f.name, "Id"), []string{f.to}
		}
		fields = append(fields, entry)
	}
	c.json(http.StatusOK, obj{"name": o.name, "keyPrefix": o.prefix, "queryable": true, "fields": fields})
}

// one is GET of a record: of all its fields, or of those that are asked for.
func (s *simOrg) one(c *simCall) {
	o, _, row := s.target(c)
	if o == nil {
		return
	}
	var paths []simPath
	for _, name := range strings.Split(c.r.URL.Query().Get("fields"), ",") {
		if name == "" {
			for _, f := range o.list {
				paths = append(paths, simPath{f})
			}
			break
		}
		p, no := s.path(o, name)
		if no != nil {
			s.fault(c, no)
			return
		}
		paths = append(paths, p)
	}
	c.w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	_, _ = c.w.Write(s.write(nil, c, o, row, paths))
}

// part is GET of the bytes of a record.
func (s *simOrg) part(c *simCall) {
	if c.path("object") == "EventLogFile" && c.path("part") == "LogFile" {
		s.logFile(c, c.path("id"))
		return
	}
	o, id, _ := s.target(c)
	if o == nil {
		return
	}
	var body []byte
	switch o.name + "/" + c.path("part") {
	case "ContentVersion/VersionData":
		s.mu.RLock()
		x := s.file(s.versionFile(simNumber(id)))
		s.mu.RUnlock()
		for i := range x.versions {
			if x.versions[i].id == id {
				body = x.versions[i].bytes()
			}
		}
	case "Attachment/Body", "Document/Body":
		s.mu.RLock()
		doc := s.files.bodies[id]
		s.mu.RUnlock()
		body = doc.Bytes()
	default:
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return
	}
	c.w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = c.w.Write(body)
}

// allowed says whether who asks may change the object so, or answers why not.
func (s *simOrg) allowed(c *simCall, o *simSchema, what string, able bool, row simRow) bool {
	rule := simChanges[o.name]
	switch owner := row["OwnerId"]; {
	case !able:
		s.fault(c, simBad("INVALID_TYPE_FOR_OPERATION", "entity type %s does not support %s", o.name, what))
		return false
	case !s.may(c.user, rule.needs) && (owner == nil || owner != c.user || rule.needs != "ModifyAllData"):
		s.fault(c, &simFault{http.StatusForbidden, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"})
		return false
	}
	return true
}

// fields reads the body as fields of an object.
func (s *simOrg) fields(c *simCall, o *simSchema, only string) (simRow, bool) {
	var in map[string]any
	if !s.readFields(c, &in) {
		return nil, false
	}
	out := simRow{}
	for name, v := range in {
		f, ok := o.by[strings.ToLower(name)]
		switch {
		case !ok:
			s.fault(c, simBad("INVALID_FIELD", "No such column '%s' on sobject of type %s", name, o.name))
			return nil, false
		case only != "" && !slices.Contains(strings.Fields(only), f.name):
			s.fault(c, simBad("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: %s. Please check the security settings of "+
				"this field and verify that it is read/write for your profile or permission set.", f.name))
			return nil, false
		}
		switch v := v.(type) {
		case json.Number:
			n, _ := v.Int64()
			out[f.name] = int(n)
		case string:
			out[f.name] = v
			if f.kind == "datetime" {
				at, err := simReadTime(v)
				if err != nil {
					s.fault(c, simBad("JSON_PARSER_ERROR", "Cannot deserialize instance of datetime from VALUE_STRING value %s", v))
					return nil, false
				}
				out[f.name] = at
			} else if f.kind == "reference" {
				out[f.name] = simLong(v)
			}
		default:
			out[f.name] = v
		}
	}
	return out, true
}

func simReadTime(text string) (at time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999Z0700", time.DateOnly} {
		if at, err = time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return at, err
}

// readFields reads a JSON object; of a body in parts the one named entity_content, with the bytes of the other as VersionData.
func (s *simOrg) readFields(c *simCall, in *map[string]any) bool {
	if !strings.HasPrefix(c.r.Header.Get("Content-Type"), "multipart/form-data") {
		return s.read(c, in)
	}
	parts, err := c.r.MultipartReader()
	for err == nil {
		p, e := parts.NextPart()
		if e == io.EOF {
			return true
		}
		if err = e; err != nil {
			break
		}
		body, e := io.ReadAll(p)
		if err = e; err == nil && p.FormName() == "entity_content" {
			err = json.Unmarshal(body, in)
		} else if err == nil {
			if *in == nil {
				*in = map[string]any{}
			}
			(*in)[p.FormName()] = base64.StdEncoding.EncodeToString(body)
		}
	}
	s.fault(c, simBad("INVALID_MULTIPART_REQUEST", "%v", err))
	return false
}

// update is PATCH of a record.
func (s *simOrg) update(c *simCall) {
	o, id, row := s.target(c)
	if o == nil || !s.allowed(c, o, "update", simChanges[o.name].fields != "", row) {
		return
	}
	in, ok := s.fields(c, o, simChanges[o.name].fields)
	if !ok {
		return
	}
	if in["IsActive"] == false && id == s.people[0] {
		s.fault(c, simBad("FIELD_INTEGRITY_EXCEPTION", "User is a default case owner: inactive users cannot own automated cases"))
		return
	}
	s.mu.Lock()
	switch o.name {
	case "ContentDocument":
		s.edit(simNumber(id)-simFirstID, c.user, func(x *simFile) { s.moveFile(x, in) })
	case "ContentVersion":
		s.edit(s.versionFile(simNumber(id)), c.user, func(x *simFile) { s.moveFile(x, in) })
	case "ContentDocumentLink":
		s.editLink(id, c.user, func(link simRow) simRow { return in })
	default:
		s.change(id, c.user, in)
	}
	if in["IsActive"] == false { // whoever is deactivated has no sessions; who is frozen keeps them
		s.endSessions(id)
	}
	s.trace(c.user, o.name, id, in)
	s.mu.Unlock()
	c.done()
}

// delete is DELETE of a record: files go to the recycle bin.
func (s *simOrg) delete(c *simCall) {
	o, id, row := s.target(c)
	if o == nil || !s.allowed(c, o, "delete", simChanges[o.name].remove, row) {
		return
	}
	s.mu.Lock()
	switch o.name {
	case "ContentDocument":
		s.edit(simNumber(id)-simFirstID, c.user, func(x *simFile) { x.deleted = s.o.Now() })
	case "ContentDocumentLink":
		s.editLink(id, c.user, func(simRow) simRow { return nil })
	case "Attachment", "Document":
		s.change(id, c.user, simRow{"IsDeleted": true})
	case "AuthSession":
		s.endSession(id)
	default:
		s.remove(id)
	}
	s.trace(c.user, o.name, id, nil)
	s.mu.Unlock()
	c.done()
}

// create is POST of a record.
func (s *simOrg) create(c *simCall) {
	o := s.schemas[strings.ToLower(c.path("object"))]
	if o == nil || !s.sees(c, o.name) {
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return
	}
	if !s.allowed(c, o, "insert", simChanges[o.name].create, nil) {
		return
	}
	in, ok := s.fields(c, o, "")
	if !ok {
		return
	}
	var id string
	var no *simFault
	s.mu.Lock()
	switch o.name {
	case "ContentVersion":
		id, no = s.upload(c.user, in)
	case "ContentDocumentLink":
		id, no = s.link(c.user, in)
	case "ContentDistribution":
		i := s.versionFile(simNumber(fmt.Sprint(in["ContentVersionId"])))
		if x := s.file(i); x != nil {
			id = s.distribute(x, c.user, s.o.Now())
			s.change(id, c.user, in)
		} else {
			no = simBad("REQUIRED_FIELD_MISSING", "Required fields are missing: [ContentVersionId]")
		}
	default:
		id, no = s.insert(o, c.user, in)
	}
	s.mu.Unlock()
	if no != nil {
		s.fault(c, no)
		return
	}
	c.json(http.StatusCreated, obj{"id": id, "success": true, "errors": []obj{}})
}

// insert adds a membership or an assignment, which can be there once.
func (s *simOrg) insert(o *simSchema, by string, in simRow) (string, *simFault) {
	for _, id := range s.rows[o.name] {
		same := true
		for _, name := range []string{"AssigneeId", "PermissionSetId", "GroupId", "UserOrGroupId", "CollaborationGroupId", "MemberId"} {
			same = same && s.byID[id][name] == in[name]
		}
		if same {
			return "", simBad("DUPLICATE_VALUE", "duplicate value found: duplicates value on record with id: %s", id)
		}
	}
	if o.name == "PermissionSetAssignment" {
		in["IsActive"] = true
	}
	return s.put(o.name, by, s.o.Now(), in), nil
}
