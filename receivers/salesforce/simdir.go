package salesforce

import (
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

// put adds a record, with what every record has. It is called with mu held, or before there are requests.
func (s *simOrg) put(name string, by string, at time.Time, row simRow) string {
	o := s.schemas[strings.ToLower(name)]
	s.made[name]++
	if row["Id"] == nil {
		row["Id"] = s.id(o.prefix, 1000+s.made[name])
	}
	id := row["Id"].(string)
	for field, v := range map[string]any{"CreatedById": by, "LastModifiedById": by, "CreatedDate": at, "LastModifiedDate": at,
		"SystemModstamp": at, "OwnerId": by} {
		if _, ok := o.by[strings.ToLower(field)]; ok && row[field] == nil {
			row[field] = v
		}
	}
	s.byID[id] = row
	s.rows[name] = append(s.rows[name], id)
	return id
}

// find is a record by its id; nil = there is none.
func (s *simOrg) find(id string) simRow {
	if id = simLong(id); id == "" {
		return nil
	}
	s.mu.RLock()
	row := s.byID[id]
	s.mu.RUnlock()
	if o := s.objectOf(id); row == nil && o != nil && s.tables[o.name].row != nil {
		row = s.tables[o.name].row(nil, simNumber(id))
	}
	return row
}

// objectOf is the object whose record has the id.
func (s *simOrg) objectOf(id string) *simSchema {
	if len(id) < 3 {
		return nil
	}
	return s.object[id[:3]]
}

// change replaces fields of a record, with mu held: who reads the old one may go on.
func (s *simOrg) change(id, by string, fields simRow) {
	row := simRow{}
	for k, v := range s.byID[id] {
		row[k] = v
	}
	for k, v := range fields {
		row[k] = v
	}
	now := s.o.Now()
	for _, f := range s.objectOf(id).list {
		switch f.name {
		case "LastModifiedDate", "SystemModstamp":
			row[f.name] = now
		case "LastModifiedById":
			row[f.name] = by
		}
	}
	s.byID[id] = row
}

// remove takes a record away for good, with mu held.
func (s *simOrg) remove(id string) {
	delete(s.byID, id)
	name := s.objectOf(id).name
	s.rows[name] = slices.DeleteFunc(s.rows[name], func(x string) bool { return x == id })
}

// kept is the table of an object whose records are all kept.
func (s *simOrg) kept(name string) simTable {
	return simTable{scan: func(_ *simCall, _ *simCond, each func(simRef) bool) {
		s.mu.RLock()
		var refs []simRef
		for _, id := range s.rows[name] {
			refs = append(refs, simRef{row: s.byID[id]})
		}
		s.mu.RUnlock()
		for _, r := range refs {
			each(r)
		}
	}}
}

var (
	simTeams  = []string{"Sales", "Field Service", "Vertrieb Süd", "Ventes Île-de-France", "Partner \"Gold\"", "Support O'Hara", "営業部"}
	simGrants = map[string]string{ // the permissions of each profile and permission set
		"System Administrator":                   strings.Join(simPermissions, " "),
		"Standard User":                          "ApiEnabled ExportReport ViewRoles",
		"Read Only":                              "ViewRoles",
		"Minimum Access - API Only Integrations": "ApiEnabled",
		"Longshore": "ApiEnabled CustomizeApplication EventLogReadAccess ExternalClientAppViewer FreezeUsers ManageUsers ModifyAllData " +
			"MonitorLoginHistory QueryAllFiles ResetPasswords ViewAllData ViewAllProfiles ViewAllUsers ViewAnomalyEvents ViewEventLogFiles " +
			"ViewPlatformEvents ViewRoles ViewSetup",
		"Longshore Reader": "ApiEnabled EventLogReadAccess MonitorLoginHistory QueryAllFiles ViewAllData ViewAllProfiles ViewAllUsers " +
			"ViewAnomalyEvents ViewEventLogFiles ViewPlatformEvents ViewRoles ViewSetup",
		"Own files": "ApiEnabled ViewSetup MonitorLoginHistory ViewAllUsers ViewEventLogFiles ViewPlatformEvents",
		"Developer": "AuthorApex CustomizeApplication ModifyMetadata",
	}
)

// flags are the permissions of a profile or permission set as fields.
func simFlags(name string, row simRow) simRow {
	for _, p := range strings.Fields(simGrants[name]) {
		row["Permissions"+p] = true
	}
	return row
}

// populate makes the directory.
func (s *simOrg) populate() {
	old := s.o.Start.Add(-700 * 24 * time.Hour).Truncate(time.Second)
	s.org = s.id("00D", int(sim.Hash(s.o.Seed, 20)%1e9))
	s.put("Organization", "", old, simRow{"Id": s.org, "Name": "Contoso", "OrganizationType": "Enterprise Edition", "InstanceName": "EU99",
		"IsSandbox": false, "Country": "DE", "LanguageLocaleKey": "en_US"})
	admin := s.id("005", 1001)
	profiles, roles := map[string]string{}, []string{}
	for _, name := range []string{"System Administrator", "Standard User", "Read Only", "Minimum Access - API Only Integrations"} {
		profiles[name] = s.put("Profile", admin, old, simFlags(name, simRow{"Name": name, "UserType": "Standard"}))
		s.put("PermissionSet", admin, old, simFlags(name, simRow{"Name": "X" + profiles[name], "Label": profiles[name],
			"IsOwnedByProfile": true, "ProfileId": profiles[name], "Type": "Profile"}))
	}
	for i, name := range []string{"CEO", "VP Sales", "Account Executive", "Support Lead"} {
		row := simRow{"Name": name, "DeveloperName": strings.ReplaceAll(name, " ", "_")}
		if i > 0 {
			row["ParentRoleId"] = roles[(i-1)/2]
		}
		roles = append(roles, s.put("UserRole", admin, old, row))
	}
	n := s.o.Users
	if n <= 0 {
		n = 40
	}
	for i := range n {
		s.person(i, old, profiles, roles)
	}
	integration := func(name, login string) string {
		return s.user(old, simRow{"Username": login + "@contoso.example", "Name": name, "LastName": name, "UserType": "Standard",
			"IsActive": true, "Email": login + "@contoso.example", "Alias": login[:3],
			"ProfileId": profiles["Minimum Access - API Only Integrations"]})
	}
	s.service = integration("Longshore Integration", "svc.collector")
	integration("Quarantine", "quarantine")
	s.user(old, simRow{"Username": "autoproc@" + strings.ToLower(s.org), "Name": "Automated Process", "LastName": "Process",
		"FirstName": "Automated", "UserType": "AutomatedProcess", "IsActive": true, "Email": "noreply@contoso.example", "Alias": "autoproc"})
	s.privileges(admin, old)
	s.teams(admin, old, roles)
	s.apps(admin, old)
	s.libraries(admin, old)
}

// user adds a user, with the row that says whether he is frozen.
func (s *simOrg) user(at time.Time, row simRow) string {
	row["NumberOfFailedLogins"] = 0
	id := s.put("User", s.id("005", 1001), at, row)
	s.put("UserLogin", id, at, simRow{"UserId": id, "IsFrozen": row["Alias"] == "frozen", "IsPasswordLocked": false})
	return id
}

func (s *simOrg) person(i int, old time.Time, profiles map[string]string, roles []string) {
	rnd := sim.NewRand(s.o.Seed, 21, uint64(i))
	at := old.Add(time.Duration(1+rnd.N(600)) * 24 * time.Hour)
	team := sim.Pick(rnd, simTeams)
	login := "user" + itoa(i) + "@contoso.example"
	profile, alias := "Standard User", "user"+itoa(i)
	switch {
	case i == 0:
		profile, login, team = "System Administrator", "admin@contoso.example", "Admin"
	case i%9 == 5:
		profile = "Read Only"
	case i%11 == 7:
		alias = "frozen"
	}
	row := simRow{"Username": login, "Email": login, "FirstName": team, "LastName": itoa(i), "Name": team + " " + itoa(i), "Alias": alias,
		"IsActive": i%13 != 12, "UserType": "Standard", "ProfileId": profiles[profile], "UserRoleId": roles[i%len(roles)],
		"LastPasswordChangeDate": at.Add(time.Hour), "Department": team, "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US",
		"LocaleSidKey": "de_DE", "TimeZoneSidKey": "Europe/Berlin", "CommunityNickname": alias, "ReceivesInfoEmails": false}
	if i%5 != 4 {
		row["LastLoginDate"] = s.o.Start.Add(-time.Duration(rnd.N(500)) * time.Hour).Truncate(time.Second)
	}
	if i%7 == 3 {
		row["FederationIdentifier"] = "fed-" + itoa(i)
	}
	s.people = append(s.people, s.user(at, row))
}

// privileges gives permission sets, some through groups of them, to users.
func (s *simOrg) privileges(admin string, old time.Time) {
	sets := map[string]string{}
	for _, name := range []string{"Longshore", "Longshore Reader", "Own files", "Developer"} {
		sets[name] = s.put("PermissionSet", admin, old, simFlags(name, simRow{"Name": strings.ReplaceAll(name, " ", "_"), "Label": name,
			"IsCustom": true, "IsOwnedByProfile": false, "Type": "Regular"}))
	}
	group := s.put("PermissionSetGroup", admin, old, simRow{"DeveloperName": "Builders", "MasterLabel": "Builders", "Status": "Updated",
		"Language": "en_US"})
	s.put("PermissionSetGroupComponent", admin, old, simRow{"PermissionSetGroupId": group, "PermissionSetId": sets["Developer"]})
	whole := s.put("PermissionSet", admin, old, simFlags("Developer", simRow{"Name": "Builders", "Label": "Builders", "Type": "Group",
		"PermissionSetGroupId": group, "IsOwnedByProfile": false}))
	assign := func(user, set, group string) {
		row := simRow{"AssigneeId": user, "PermissionSetId": set, "IsActive": true}
		if group != "" {
			row["PermissionSetGroupId"] = group
		}
		s.put("PermissionSetAssignment", admin, old, row)
	}
	owned := map[string]string{}
	for _, id := range s.rows["PermissionSet"] {
		if p, ok := s.byID[id]["ProfileId"].(string); ok {
			owned[p] = id
		}
	}
	for i, id := range s.rows["User"] {
		if p, ok := s.byID[id]["ProfileId"].(string); ok {
			assign(id, owned[p], "")
		}
		if i%10 == 6 && i < len(s.people) {
			assign(id, whole, group)
		}
	}
	mine := map[string]string{"reader": "Longshore Reader", "own_files": "Own files"}[s.o.Variant]
	if mine == "" {
		mine = "Longshore"
	}
	assign(s.service, sets[mine], "")
	s.put("SetupEntityAccess", admin, old, simRow{"ParentId": sets["Developer"], "SetupEntityId": s.id("01p", 5),
		"SetupEntityType": "ApexClass"})
}

// may says whether a user has a permission, by his profile or a permission set. Manage Users contains what is about users.
func (s *simOrg) may(user, permission string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := []string{permission}
	switch permission {
	case "FreezeUsers", "ResetPasswords", "ManageInternalUsers", "MonitorLoginHistory":
		names = append(names, "ManageUsers")
	case "QueryAllFiles", "ViewAllData":
		names = append(names, "ModifyAllData")
	}
	for _, id := range s.rows["PermissionSetAssignment"] {
		a := s.byID[id]
		if set, _ := a["PermissionSetId"].(string); a["AssigneeId"] == user && a["IsActive"] == true {
			for _, p := range names {
				if s.byID[set]["Permissions"+p] == true {
					return true
				}
			}
		}
	}
	return false
}

// teams makes groups of all types, one within another, and Chatter groups.
func (s *simOrg) teams(admin string, old time.Time, roles []string) {
	var groups []string
	for i, kind := range []string{"Regular", "Regular", "Queue", "Role", "RoleAndSubordinates", "Organization"} {
		row := simRow{"Type": kind, "DoesIncludeBosses": i == 0}
		switch kind {
		case "Regular", "Queue":
			row["Name"], row["DeveloperName"] = simTeams[i]+" "+kind, kind+itoa(i)
		case "Organization":
			row["DeveloperName"] = "AllInternalUsers"
		default:
			row["DeveloperName"], row["RelatedId"] = kind+itoa(i), roles[i%len(roles)]
		}
		groups = append(groups, s.put("Group", admin, old, row))
	}
	member := func(group, of string) {
		s.put("GroupMember", admin, old, simRow{"GroupId": group, "UserOrGroupId": of})
	}
	chatter := s.put("CollaborationGroup", admin, old, simRow{"Name": "All hands", "CollaborationType": "Public",
		"MemberCount": len(s.people)})
	for i, id := range s.people {
		if i%3 == 0 {
			member(groups[i%2], id)
		}
		role := "Standard"
		if i == 0 {
			role = "Admin"
		}
		if i < 40 {
			s.put("CollaborationGroupMember", admin, old, simRow{"CollaborationGroupId": chatter, "MemberId": id, "CollaborationRole": role})
		}
	}
	member(groups[0], groups[1])
	member(groups[2], groups[4])
}
