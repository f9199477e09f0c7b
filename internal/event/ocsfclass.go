package event

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// OCSFVersion is the version of the Open Cybersecurity Schema Framework that AppendOCSF writes.
const OCSFVersion = "1.9.0-dev"

// ocsfClass is one way to write a class of OCSF. A letter after the number tells several of one class apart: s has the actor as the
// subject, a the application, c the credential, o any other object, r the role as the entity.
type ocsfClass struct {
	key      string
	uid      int
	caption  string
	category string
	roots    map[string]bool // attributes the class has beside those of all; true: not by a profile
	needs    []string        // objects and attributes without which it is not this class
	instead  []string        // attributes that the application's name stands in for
	acts     []activity
	words    map[string]int // one more than the place in acts of the activity that a word stands for
	types    map[string]int // the same of an event.type
	unknown  []byte         // the head of documents that tell no activity
	other    []byte         // the head of activities that the class has no number for, up to activity_name
}

// activity is one activity of a class and the begin of its documents.
type activity struct {
	id   int
	name string
	head []byte
}

var ocsfCategories = [...]string{0: "Uncategorized", 2: "Findings", 3: "Identity & Access Management", 5: "Discovery",
	6: "Application Activity", 7: "Remediation"}

// ocsfClasses: number, attributes (! = the class's own and of no profile), what it needs, what the application stands in for, name.
// 3001 and 3005 are deprecated in favour of 3007 from 1.9 on; readers of released versions, up to 1.8, know only these.
const ocsfClasses = `
0     - - - Base Event
3001  iam,user,user_result,auth_factors user - Account Change
3001s iam,user,auth_factors user - Account Change
3002  iam,dst_endpoint,user,session,service,auth_protocol,auth_factors,is_mfa user service.name Authentication
3002s iam,dst_endpoint,user,session,service,auth_protocol,auth_factors,is_mfa user service.name Authentication
3004a iam,entity entity - Entity Management
3004c iam,entity entity - Entity Management
3004o iam,entity entity - Entity Management
3004r iam,entity entity - Entity Management
3005  iam,user,iam_role,privileges,resources user - User Access Management
3005s iam,user,iam_role,privileges,resources user - User Access Management
3006  iam,group,users,iam_roles,privileges,resources group - Group Management
5003  !actor,user user - User Inventory Info
5023  resources resources[entity] - Cloud Resources Inventory Info
6002  api,app app - Application Lifecycle
6003  iam,!api,dst_endpoint,resources api actor.app_name,src_endpoint.svc_name API Activity
6006  iam,dst_endpoint,file,access_list,expiration_time file actor.app_name,src_endpoint.svc_name File Hosting Activity
2004  risk,finding_info,resources,evidences finding_info - Detection Finding
2006  risk,!actor,finding_info,data_security,file,resources,src_endpoint finding_info - Data Security Finding
7001  remediation,command_uid command_uid - Remediation Activity
7002  remediation,command_uid,file command_uid,file - File Remediation Activity
`

// ocsfRoots are attributes that several classes have.
var ocsfRoots = map[string][]string{"iam": {"!actor", "src_endpoint", "http_request", "http_response", "api"},
	"risk": {"!device", "!confidence_score", "!risk_level", "!risk_details", "!risk_score"},
	"all": {"metadata", "message", "severity", "status", "status_code", "status_detail", "time", "start_time", "end_time", "cloud",
		"actor", "device", "policy", "risk_level", "risk_details", "risk_score"}}

// ocsfActivities: class, number, name, and what stands for it: saas.activity, event.action of actions, or, after a colon, event.type.
const ocsfActivities = `
3001 1 Create user_create
3001 2 Enable user_enable user_restore
3001 3 Password_Change password_change
3001 4 Password_Reset password_reset
3001 5 Disable user_disable user_suspend
3001 6 Delete user_delete
3001 9 Lock user_lock
3001 10 MFA_Factor_Enable mfa_enroll
3001 11 MFA_Factor_Disable mfa_remove
3001 12 Unlock user_unlock
3002 1 Logon login impersonation_start :start
3002 2 Logoff logout impersonation_end session_revoked :end
3002 6 Preauth mfa_challenge policy_evaluation device_check
3004 1 Create :creation
3004 2 Read :access
3004 3 Update :change
3004 4 Delete :deletion
3005 1 Assign_Privileges app_consent app_assign delegation_grant support_access_grant
3005 2 Revoke_Privileges app_consent_revoke app_unassign delegation_revoke support_access_revoke
3005 3 Assign_Role role_grant owner_add
3005 4 Remove_Role role_revoke owner_remove
3006 1 Assign_Privileges app_assign collab_add
3006 2 Revoke_Privileges app_unassign collab_remove
3006 3 Add_User group_member_add
3006 4 Remove_User group_member_remove
3006 5 Delete group_delete
3006 6 Create group_create
3006 9 Update group_update
3006 12 Assign_Roles role_grant
3006 13 Remove_Roles role_revoke
5003 2 Collect *
5023 2 Collect *
6002 1 Install app_install
6002 2 Remove app_uninstall
6003 1 Create :creation
6003 2 Read :access
6003 3 Update :change
6003 4 Delete :deletion
6006 1 Upload file_upload
6006 2 Download file_download sync_download
6006 3 Update file_edit
6006 4 Delete file_delete
6006 5 Rename file_rename
6006 6 Copy file_copy
6006 7 Move file_move
6006 8 Restore file_restore
6006 9 Preview file_view
6006 10 Lock file_lock
6006 11 Unlock file_unlock
6006 12 Share share_internal share_external share_public link_create link_send file_send collab_add
6006 13 Unshare link_remove collab_remove
6006 14 Open link_use
6006 16 Unsync sync_stop
2004 1 Create new
2004 2 Update update suppressed
2004 3 Close resolved
2006 1 Create new
2006 2 Update update suppressed
2006 3 Close resolved
7001 1 Isolate suspend_user deactivate_user revoke_sessions
7001 2 Evict revoke_role revoke_grant revoke_client_tokens revoke_token remove_from_group
7001 3 Restore restore_user reactivate_user unlock_user add_to_group undo
7001 4 Harden expire_password reset_password reset_factors
7002 1 Isolate quarantine_file remove_public_link remove_collaborator restrict_link
7002 2 Evict delete_file purge_file tombstone_file
7002 3 Restore restore_file undo
7002 4 Harden apply_label
`

// ocsfChains: the classes to try in turn, and the saas.activity that they are for; "user", "group" and "admin" are those of
// event.type, for activities that have no line.
const ocsfChains = `
3001 : user_create user_delete user_enable user_disable user_suspend user_restore user_lock user_unlock user
3001 3001s : user_update password_change password_reset password_view mfa_enroll mfa_remove mfa_change
3005 3006 3004r : role_grant role_revoke owner_add owner_remove app_assign app_unassign support_access_grant support_access_revoke
3005 3004r : role_change
3005 3005s : app_consent app_consent_revoke delegation_grant delegation_revoke
3006 : group_create group_delete group_update group_member_add group_member_remove group
3004c 3004a : token_create token_change token_revoke app_credential_remove
3004a 3004c : app_create app_update app_credential_add admin
`

// ocsfBook is all that is compiled from the tables, on first use.
type ocsfBook struct {
	plans map[string]*plan
	iam   map[string][]*plan // by saas.activity or a word of event.type

	auth, file, api, install, entity, user, dlp, alert, action, state []*plan
}

var readBook = sync.OnceValue(func() *ocsfBook {
	b := &ocsfBook{plans: map[string]*plan{}, iam: map[string][]*plan{}}
	classes := map[int]*ocsfClass{}
	for line := range strings.Lines(strings.TrimSpace(ocsfActivities)) {
		f := strings.Fields(line)
		uid, _ := strconv.Atoi(f[0])
		if classes[uid] == nil {
			classes[uid] = &ocsfClass{words: map[string]int{}, types: map[string]int{}}
		}
		c := classes[uid]
		id, _ := strconv.Atoi(f[1])
		c.acts = append(c.acts, activity{id: id, name: strings.ReplaceAll(f[2], "_", " ")})
		for _, word := range f[3:] {
			if typ, ok := strings.CutPrefix(word, ":"); ok {
				c.types[typ] = len(c.acts)
			} else {
				c.words[word] = len(c.acts)
			}
		}
	}
	for line := range strings.Lines(strings.TrimSpace(ocsfClasses)) {
		c := readClass(strings.Fields(line))
		if same := classes[c.uid]; same != nil {
			c.acts, c.words, c.types = slices.Clone(same.acts), same.words, same.types
		}
		c.heads()
		b.plans[c.key] = newPlan(c)
	}
	const rest = " 3004a 3004c 3004r 3004o"
	for line := range strings.Lines(strings.TrimSpace(ocsfChains)) {
		keys, words, _ := strings.Cut(line, ":")
		for word := range strings.FieldsSeq(words) {
			b.iam[word] = b.chain(keys + rest)
		}
	}
	b.iam[""] = b.chain(rest)
	b.auth, b.file, b.api, b.install = b.chain("3002 3002s"), b.chain("6006 3006"), b.chain(""), b.chain("6002")
	b.entity, b.user, b.dlp, b.alert = b.chain("5023"), b.chain("5003 5023"), b.chain("2006"), b.chain("2004")
	b.action, b.state = b.chain("7002 7001"), b.chain("")[1:]
	return b
})

// chain are the plans of these classes, and of the two that are left when a record has not what any of them needs.
func (b *ocsfBook) chain(keys string) (out []*plan) {
	for _, key := range strings.Fields(keys + " 6003 0") {
		out = append(out, b.plans[key])
	}
	return out
}

func readClass(f []string) *ocsfClass {
	c := &ocsfClass{key: f[0], caption: strings.Join(f[4:], " "), roots: map[string]bool{}}
	c.uid, _ = strconv.Atoi(strings.TrimRight(f[0], "acors"))
	c.category = ocsfCategories[c.uid/1000]
	roots := slices.Clone(ocsfRoots["all"])
	for _, root := range splitList(f[1]) {
		if several := ocsfRoots[root]; several != nil {
			roots = append(roots, several...)
		} else {
			roots = append(roots, root)
		}
	}
	for _, root := range roots {
		name, own := strings.CutPrefix(root, "!")
		c.roots[name] = c.roots[name] || own || profileOf(name) == 0
	}
	c.needs, c.instead = splitList(f[2]), splitList(f[3])
	return c
}

func splitList(s string) []string {
	if s == "-" {
		return nil
	}
	return strings.Split(s, ",")
}

// heads makes the begin of the documents of each activity.
func (c *ocsfClass) heads() {
	for i := range c.acts {
		a := &c.acts[i]
		a.head = append(c.head(a.id, a.name), `,"activity_name":"`...)
		a.head = append(append(a.head, a.name...), '"')
	}
	c.unknown = append(c.head(0, "Unknown"), `,"activity_name":"Unknown"`...)
	c.other = append(c.head(99, "Other"), `,"activity_name":`...)
}

func (c *ocsfClass) head(id int, name string) []byte {
	b := append([]byte(`"category_uid":`), strconv.Itoa(c.uid/1000)...)
	b = append(append(append(b, `,"category_name":"`...), c.category...), '"')
	b = append(append(b, `,"class_uid":`...), strconv.Itoa(c.uid)...)
	b = append(append(append(b, `,"class_name":"`...), c.caption...), '"')
	b = append(append(b, `,"type_uid":`...), strconv.Itoa(c.uid*100+id)...)
	b = append(append(append(append(append(b, `,"type_name":"`...), c.caption...), ": "...), name...), '"')
	return append(append(b, `,"activity_id":`...), strconv.Itoa(id)...)
}
