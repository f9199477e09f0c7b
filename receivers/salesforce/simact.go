package salesforce

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// password resets a password, or sets the one that is given.
func (s *simOrg) password(c *simCall) {
	_, id, row := s.target(c)
	if row == nil {
		return
	}
	if !s.may(c.user, "ResetPasswords") {
		s.fault(c, &simFault{http.StatusForbidden, "INSUFFICIENT_ACCESS", "insufficient access rights on object id"})
		return
	}
	var in struct{ NewPassword string }
	if c.r.Method == http.MethodPost && !s.read(c, &in) {
		return
	}
	s.mu.Lock()
	s.change(id, c.user, simRow{"LastPasswordChangeDate": s.o.Now()})
	s.audit(c.user, "resetpassword", "Manage Users", fmt.Sprintf("Reset password for user %s", row["Username"]))
	n := s.made["SetupAuditTrail"]
	s.mu.Unlock()
	if c.r.Method == http.MethodPost {
		c.done()
		return
	}
	c.json(http.StatusOK, obj{"NewPassword": string(sim.NewRand(s.o.Seed, 80, uint64(n)).Name(nil, 10))})
}

// endSessions ends the sessions of a user, with mu held.
func (s *simOrg) endSessions(user string) {
	for _, id := range slices.Clone(s.rows["AuthSession"]) {
		if s.byID[id]["UsersId"] == user {
			s.endSession(id)
		}
	}
	s.issuer.Revoke(func(a sim.Access) bool { return a.Owner == user })
}

// endSession ends a session, and those within it. The one of who asks comes again when he signs in again.
func (s *simOrg) endSession(id string) {
	if row := s.byID[id]; row["IsCurrent"] == true {
		s.issuer.Revoke(func(a sim.Access) bool { return a.Owner == row["UsersId"] })
		return
	}
	s.remove(id)
	for _, child := range slices.Clone(s.rows["AuthSession"]) {
		if s.byID[child]["ParentId"] == id {
			s.endSession(child)
		}
	}
}

// audit adds to the setup audit trail, with mu held.
func (s *simOrg) audit(by, action, section, text string) {
	at := s.o.Now().Truncate(time.Second)
	s.put("SetupAuditTrail", by, at, simRow{"Id": s.id("0Ym", 1<<40+s.made["SetupAuditTrail"]), "Action": action, "Section": section,
		"Display": text, "CreatedDate": at, "SystemModstamp": at})
}

// trace notes a change in the setup audit trail, if it is of those that stand there.
func (s *simOrg) trace(by, object, id string, in simRow) {
	user := s.byID[id]
	if owner, ok := user["UserId"].(string); ok {
		user = s.byID[owner]
	}
	name, _ := user["Username"].(string)
	switch {
	case object == "UserLogin" && in["IsFrozen"] == true:
		s.audit(by, "frozeuser", "Manage Users", "Froze user "+name)
	case object == "UserLogin" && in["IsFrozen"] == false:
		s.audit(by, "unfrozeuser", "Manage Users", "Unfroze user "+name)
	case object == "User" && in["IsActive"] == false:
		s.audit(by, "deactivateduser", "Manage Users", "Deactivated user "+name)
	case object == "User" && in["IsActive"] == true:
		s.audit(by, "activateduser", "Manage Users", "Activated user "+name)
	case object == "PermissionSetAssignment" && in == nil:
		s.audit(by, "PermSetUnassign", "Manage Users", "Permission set: unassigned from user")
	}
}

// moveFile changes fields of a file; its owner always has a link.
func (s *simOrg) moveFile(x *simFile, in simRow) {
	if title, ok := in["Title"].(string); ok {
		x.title = title
	}
	if owner, ok := in["OwnerId"].(string); ok && owner != x.owner {
		x.links = slices.DeleteFunc(x.links, func(l simRow) bool { return l["LinkedEntityId"] == owner })
		for i, l := range x.links {
			if l["LinkedEntityId"] == x.owner {
				x.links = slices.Delete(x.links, i, i+1)
				break
			}
		}
		x.owner = owner
		x.links = append(x.links, s.newLink(x, simRow{"LinkedEntityId": owner, "ShareType": "I", "Visibility": "AllUsers"}))
	}
}

// newLink makes a link of a file.
func (s *simOrg) newLink(x *simFile, in simRow) simRow {
	l := simRow{"ShareType": "V", "Visibility": "AllUsers"}
	maps.Copy(l, in)
	n := s.addedFrom() + len(s.files.links)
	l["Id"], l["ContentDocumentId"], l["SystemModstamp"] = s.id("06A", n), x.id, s.o.Now()
	s.files.links[l["Id"].(string)] = x.n
	return l
}

// linkFile is the file of a link, with mu held.
func (s *simOrg) linkFile(id string) (int, *simFile) {
	i, ok := s.files.links[id]
	if !ok {
		i = (simNumber(id) - simFirstID) / simLinks
	}
	return i, s.file(i)
}

// linkRow is a link by its id.
func (s *simOrg) linkRow(id string) simRow {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if _, x := s.linkFile(id); x != nil && x.deleted.IsZero() {
		for _, l := range x.links {
			if l["Id"] == id {
				return l
			}
		}
	}
	return nil
}

// editLink changes a link, or takes it away where change gives nil; with mu held.
func (s *simOrg) editLink(id, by string, change func(simRow) simRow) {
	i, _ := s.linkFile(id)
	s.edit(i, by, func(x *simFile) {
		for k, l := range x.links {
			if l["Id"] != id {
				continue
			}
			in := change(l)
			if in == nil {
				x.links = slices.Delete(x.links, k, k+1)
				return
			}
			next := maps.Clone(l)
			maps.Copy(next, in)
			next["SystemModstamp"] = s.o.Now()
			x.links[k] = next
			return
		}
	})
}

// link is POST of a ContentDocumentLink.
func (s *simOrg) link(by string, in simRow) (string, *simFault) {
	id, _ := in["ContentDocumentId"].(string)
	i := simNumber(id) - simFirstID
	x := s.file(i)
	if x == nil || !x.deleted.IsZero() || in["LinkedEntityId"] == nil {
		return "", simBad("REQUIRED_FIELD_MISSING", "Required fields are missing: [ContentDocumentId, LinkedEntityId]")
	}
	if slices.ContainsFunc(x.links, func(l simRow) bool { return l["LinkedEntityId"] == in["LinkedEntityId"] }) {
		return "", simBad("DUPLICATE_VALUE", "duplicate value found: the file is shared with the record already")
	}
	l := s.newLink(x, in)
	s.edit(i, by, func(x *simFile) { x.links = append(x.links, l) })
	return l["Id"].(string), nil
}

// upload is POST of a ContentVersion: of a file, or of a new one.
func (s *simOrg) upload(by string, in simRow) (string, *simFault) {
	path, _ := in["PathOnClient"].(string)
	text, _ := in["VersionData"].(string)
	data, err := base64.StdEncoding.DecodeString(text)
	if path == "" || err != nil || in["VersionData"] == nil {
		return "", simBad("REQUIRED_FIELD_MISSING", "Required fields are missing: [PathOnClient, VersionData]")
	}
	f := &s.files
	now := s.o.Now()
	v := simVersion{path: path, by: by, at: now, bytes: func() []byte { return data }}
	v.reason, _ = in["ReasonForChange"].(string)
	v.more = simRow{}
	for _, name := range []string{"Description", "TagCsv"} {
		if text, ok := in[name].(string); ok {
			v.more[name] = text
		}
	}
	v.id = s.id("068", s.addedFrom()+len(f.versions))
	id, _ := in["ContentDocumentId"].(string)
	i := simNumber(id) - simFirstID
	if id == "" {
		i = f.n + f.added
		f.added++
		x := &simFile{n: i, id: s.id("069", simFirstID+i), title: strings.TrimSuffix(path, "."+v.ext()), owner: by, by: by,
			made: now, changed: now}
		if title, ok := in["Title"].(string); ok {
			x.title = title
		}
		x.versions = []simVersion{v}
		x.links = []simRow{s.newLink(x, simRow{"LinkedEntityId": by, "ShareType": "I"})}
		f.changed[i] = x
	} else if x := s.file(i); x == nil || !x.deleted.IsZero() {
		return "", simBad("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
	} else {
		head := simRow{"Title": strings.TrimSuffix(path, "."+v.ext()), "OwnerId": by}
		maps.Copy(head, in)
		s.edit(i, by, func(x *simFile) { // which has title and owner of its latest version
			x.versions = append(x.versions, v)
			s.moveFile(x, head)
		})
	}
	f.versions[simNumber(v.id)] = i
	return v.id, nil
}

// soap is what there is no REST for: undelete and emptyRecycleBin.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm
func (s *simOrg) soap(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Session  string   `xml:"Header>SessionHeader>sessionId"`
		Undelete []string `xml:"Body>undelete>ids"`
		Empty    []string `xml:"Body>emptyRecycleBin>ids"`
	}
	say := func(status int, body string) {
		w.Header().Set("Content-Type", "text/xml; charset=UTF-8")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope `+
			`xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com" `+
			`xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>`, body)
	}
	refuse := func(code, why string) {
		say(http.StatusInternalServerError, `<soapenv:Fault><faultcode>sf:`+code+`</faultcode><faultstring>`+code+`: `+why+
			`</faultstring></soapenv:Fault>`)
	}
	if err := xml.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil || r.Header.Get("SOAPAction") == "" {
		refuse("MALFORMED_REQUEST", "an envelope and the header SOAPAction are wanted")
		return
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(in.Session))
	by, no := s.issuer.Check(r, "")
	if no != nil {
		refuse("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session. Session not found")
		return
	}
	name, ids, f := "undelete", in.Undelete, s.undelete
	if len(in.Empty) > 0 {
		name, ids, f = "emptyRecycleBin", in.Empty, s.purge
	}
	if len(ids) == 0 || len(ids) > 200 || !s.may(by.Owner, "ModifyAllData") {
		refuse("UNKNOWN_EXCEPTION", "1 to 200 ids of records that you may change are wanted")
		return
	}
	var b strings.Builder
	s.mu.Lock()
	for _, id := range ids {
		id = simLong(strings.TrimSpace(id))
		if why := f(id, by.Owner); why != "" {
			fmt.Fprintf(&b, `<result><errors><message>%s</message><statusCode>%s</statusCode></errors><id>%s</id><success>false</success></result>`,
				"the record cannot be handled so", why, id)
			continue
		}
		fmt.Fprintf(&b, `<result><id>%s</id><success>true</success></result>`, id)
	}
	s.mu.Unlock()
	say(http.StatusOK, "<"+name+"Response>"+b.String()+"</"+name+"Response>")
}

// undelete takes a record out of the recycle bin; it gives a status code when it cannot.
func (s *simOrg) undelete(id, by string) string {
	i := simNumber(id) - simFirstID
	switch x := s.file(i); {
	case strings.HasPrefix(id, "069") && x != nil && !x.deleted.IsZero():
		s.edit(i, by, func(x *simFile) { x.deleted = time.Time{} })
	case s.byID[id]["IsDeleted"] == true:
		s.change(id, by, simRow{"IsDeleted": false})
	default:
		return "UNDELETE_FAILED"
	}
	return ""
}

// purge takes a record away for good.
func (s *simOrg) purge(id, by string) string {
	i := simNumber(id) - simFirstID
	switch x := s.file(i); {
	case strings.HasPrefix(id, "069") && x != nil && !x.deleted.IsZero():
		s.files.gone[i] = true
	case s.byID[id]["IsDeleted"] == true:
		s.remove(id)
	default:
		return "INVALID_ID_FIELD"
	}
	return ""
}

// simNeeds are the permissions without which an object is not there for a user.
var simNeeds = map[string]string{"SetupAuditTrail": "ViewSetup", "EventLogFile": "ViewEventLogFiles", "LoginHistory": "MonitorLoginHistory",
	"UserLogin": "ManageUsers", "AuthSession": "ManageUsers", "ExternalClientApplication": "ExternalClientAppViewer",
	"ExtlClntAppOauthSettings": "ExternalClientAppViewer", "PermissionSet": "ViewSetup", "PermissionSetGroup": "ViewSetup",
	"PermissionSetAssignment": "ViewSetup"}

// sees says whether the object is there for who asks: the org has the licence, and the user the permission.
func (s *simOrg) sees(c *simCall, name string) bool {
	need := simNeeds[name]
	stored := slices.Contains(simStores, name)
	if !stored && strings.HasSuffix(name, "EventStore") {
		need = "ViewAnomalyEvents"
	} else if stored {
		need = "ViewPlatformEvents"
	}
	licensed := !stored && !strings.HasSuffix(name, "EventStore") || s.o.Variant != "free"
	return licensed && (need == "" || s.may(c.user, need))
}
