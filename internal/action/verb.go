package action

import (
	"maps"
	"slices"
	"strings"
)

// The verbs, spelled as in policies and in event.action.
const (
	SuspendUser        = "suspend_user"
	RestoreUser        = "restore_user"
	DeactivateUser     = "deactivate_user"
	ReactivateUser     = "reactivate_user"
	UnlockUser         = "unlock_user"
	ExpirePassword     = "expire_password"
	ResetPassword      = "reset_password"
	RevokeSessions     = "revoke_sessions"
	ResetFactors       = "reset_factors"
	ConfirmCompromised = "confirm_compromised" // the vendor's own policies act on it
	AddToGroup         = "add_to_group"
	RemoveFromGroup    = "remove_from_group"
	RevokeRole         = "revoke_role"
	RevokeGrant        = "revoke_grant"
	RevokeClientTokens = "revoke_client_tokens"
	BanApp             = "ban_app" // it gets no more tokens, for whomever
	RevokeToken        = "revoke_token"
	RemovePublicLink   = "remove_public_link"
	RestrictLink       = "restrict_link"
	RemoveCollaborator = "remove_collaborator"
	QuarantineFile     = "quarantine_file"
	RestoreFile        = "restore_file"
	TombstoneFile      = "tombstone_file" // a notice takes the place of the content, and old versions go
	DeleteFile         = "delete_file"    // into the trash
	PurgeFile          = "purge_file"     // for good
	ApplyLabel         = "apply_label"
)

// Types of targets: entity.type of what a verb changes. Target.ID is the provider's id of it, and Params hold further ids:
//
//	user             the account; Name is its login or e-mail. add_to_group and remove_from_group: "group.id", "group.name"
//	role_assignment  a role somebody holds; "user.id" or "group.id" of the holder, "role.id"
//	app_grant        a consent; "user.id", "client.id". ID is empty where a record names only the user and the client
//	credential       a token or key; "user.id" of its owner, "credential.type"
//	file             a file; "owner.id", "owner.email", "file.version", "container.id"; remove_collaborator: "collaborator"
//	                 (id or e-mail; none = everybody from outside); restrict_link: "access" (company or collaborators,
//	                 which is the default); apply_label: "label", and "place" of objects in S3 (tag, which is the default, or
//	                 file: in the file itself)
//
// What a policy writes under params is added.
const (
	OnUser       = "user"
	OnRole       = "role_assignment"
	OnGrant      = "app_grant"
	OnCredential = "credential"
	OnFile       = "file"
)

// verb is what is known of one.
type verb struct {
	on       string
	contains []string // what it also brings about
	opposite []string // what it would take back, or be taken back by, and is safer than
	deletes  bool     // event.type deletion
}

var verbs = map[string]verb{
	SuspendUser:        {on: OnUser, contains: []string{RevokeSessions}, opposite: []string{RestoreUser, ReactivateUser, UnlockUser}},
	RestoreUser:        {on: OnUser},
	ReactivateUser:     {on: OnUser},
	UnlockUser:         {on: OnUser},
	ExpirePassword:     {on: OnUser},
	ResetPassword:      {on: OnUser, contains: []string{ExpirePassword}},
	RevokeSessions:     {on: OnUser},
	ResetFactors:       {on: OnUser},
	ConfirmCompromised: {on: OnUser},
	AddToGroup:         {on: OnUser},
	RemoveFromGroup:    {on: OnUser, opposite: []string{AddToGroup}},
	RevokeRole:         {on: OnRole, deletes: true},
	RevokeGrant:        {on: OnGrant, deletes: true},
	RevokeClientTokens: {on: OnGrant, deletes: true},
	BanApp:             {on: OnGrant},
	RevokeToken:        {on: OnCredential, deletes: true},
	RemovePublicLink:   {on: OnFile, contains: []string{RestrictLink}},
	RestrictLink:       {on: OnFile},
	RemoveCollaborator: {on: OnFile},
	RestoreFile:        {on: OnFile},
	ApplyLabel:         {on: OnFile},
	DeactivateUser: {on: OnUser, contains: []string{SuspendUser, RevokeSessions, ExpirePassword, ResetPassword},
		opposite: []string{RestoreUser, ReactivateUser, UnlockUser}},
	QuarantineFile: {on: OnFile, contains: []string{RemovePublicLink, RestrictLink, RemoveCollaborator}, opposite: []string{RestoreFile}},
	TombstoneFile: {on: OnFile, contains: []string{QuarantineFile, RemovePublicLink, RestrictLink, RemoveCollaborator},
		opposite: []string{RestoreFile}},
	DeleteFile: {on: OnFile, deletes: true, opposite: []string{RestoreFile},
		contains: []string{TombstoneFile, QuarantineFile, RemovePublicLink, RestrictLink, RemoveCollaborator, ApplyLabel}},
	PurgeFile: {on: OnFile, deletes: true, opposite: []string{RestoreFile},
		contains: []string{DeleteFile, TombstoneFile, QuarantineFile, RemovePublicLink, RestrictLink, RemoveCollaborator, ApplyLabel}},
}

// Verbs lists all verbs, sorted.
func Verbs() []string { return slices.Sorted(maps.Keys(verbs)) }

// Known says whether a verb exists.
func Known(v string) bool { _, ok := verbs[v]; return ok }

// On is the type of target that a verb changes; "" for what is no verb.
func On(v string) string { return verbs[v].on }

// Contains says whether a brings about what b does.
func Contains(a, b string) bool { return slices.Contains(verbs[a].contains, b) }

// Safer says whether a and b are opposites of which a is the safer one.
func Safer(a, b string) bool { return slices.Contains(verbs[a].opposite, b) }

// phrase is a verb for people: "suspend user".
func phrase(v string) string { return strings.ReplaceAll(v, "_", " ") }

// Dropped is a verb that does not run because of another.
type Dropped struct {
	Verb, By string
	Why      string
}

// Resolve orders what is asked of one target. A stronger verb stands for the weaker it contains, of two opposites the safer
// wins, unrelated verbs all run. keep is in the order asked, without repeats; the strongest decides first, so a verb that
// is itself dropped drops nothing.
func Resolve(asked []string) (keep []string, dropped []Dropped) {
	var unique []string
	for _, v := range asked {
		if !slices.Contains(unique, v) {
			unique = append(unique, v)
		}
	}
	out := map[string]bool{}
	for _, by := range byStrength(unique) {
		if out[by] {
			continue
		}
		for _, v := range unique {
			switch {
			case out[v] || v == by:
			case Safer(by, v):
				out[v] = true
				dropped = append(dropped, Dropped{v, by, by + " and " + v + " are opposites: " + by + " is the safer and wins"})
			case Contains(by, v):
				out[v] = true
				dropped = append(dropped, Dropped{v, by, by + " contains " + v})
			}
		}
	}
	return slices.DeleteFunc(unique, func(v string) bool { return out[v] }), dropped
}

func byStrength(vs []string) []string {
	vs = slices.Clone(vs)
	slices.SortStableFunc(vs, func(a, b string) int { return len(verbs[b].contains) - len(verbs[a].contains) })
	return vs
}
