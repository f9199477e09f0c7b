package main

import (
	"maps"
	"strings"
)

// family is one kind of document that the program writes: which record of the stage is its example, and which tables of the schema
// say what it has.
type family struct {
	name   string
	tables string            // "7+7 user": section 7 and what it says of users
	is     string            // fields that the record has
	lacks  map[string]string // fields of the tables that it has not, and why
}

// other begins the reason for a field that other records have. A field whose reason begins otherwise no record has.
const other = "another record: "

// because makes reasons of pairs: names, and why they are absent.
func because(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		for name := range strings.FieldsSeq(pairs[i]) {
			out[name] = pairs[i+1]
		}
	}
	return out
}

// entity is because for inventory, with what holds for all of it.
func entity(pairs ...string) map[string]string {
	out := because("saas.inventory.sequence saas.inventory.first_seen", "a walk is numbered in its run_id, and what was met first is not kept",
		"saas.inventory.complete", other+"the one that closes a walk", "entity.lifecycle.deleted", other+"what lies in a trash")
	maps.Copy(out, because(pairs...))
	return out
}

const untold = "neither Okta nor Box tells it"

var families = []*family{
	{name: "authentication", tables: "3", is: "event.module=okta event.id=f24790d0-d324-47f8-aac5-c27a31ab0101",
		lacks: because("saas.auth.protocol", other+"a sign-in to an app", "saas.auth.admin_console", other+"a sign-in to the console")},
	{name: "iam", tables: "4", is: "event.module=okta event.id=f24790d0-d324-47f8-aac5-c27a31ab0102",
		lacks: because("group.domain saas.app.publisher saas.app.verified", untold, "saas.role.scope", other+"the inventory of privileges",
			"saas.app.id saas.app.name saas.grant.scopes", other+"a consent", "saas.grant.admin_consent", other+"the inventory of consents",
			"saas.credential.expires", other+"the inventory of credentials")},
	{name: "file", tables: "5", is: "event.module=box event.action=ITEM_UPLOAD",
		lacks: because("file.mime_type", untold, "file.path file.created file.mtime saas.share.external_domains", other+"the inventory of files",
			"saas.share.role saas.share.recipients", other+"an invitation", "saas.file.labels", other+"an upload of a classified file")},
	{name: "configuration", tables: "6", is: "event.module=okta event.id=f24790d0-d324-47f8-aac5-c27a31ab0103",
		lacks: because("email.subject email.from email.to email.message_id", "Okta and Box hold no mail",
			"service.name", other+"an event of Box or a sign-in", "event.provider", other+"what the agent tells of itself",
			"rule", other+"an alert, for no rule fired")},
	{name: "inventory_user", tables: "7+7 user", is: "event.module=okta entity.type=user entity.id=00u1abcd2EFGHIJK3l4",
		lacks: entity("entity.relationships", other+"a membership or a role, which are entities of their own",
			"user.group.id user.group.name", "a membership is an entity of its own",
			"user.roles saas.entity.is_admin", other+"a user of Box, whose list has the role",
			"saas.entity.is_guest saas.entity.license", untold, "saas.entity.mfa_enrolled saas.entity.mfa_methods",
			"Okta tells it a request per user, which is not made")},
	{name: "inventory_group", tables: "7+7 group", is: "event.module=box entity.type=group entity.id=577001",
		lacks: entity("entity.display_name", other+"a user", "entity.lifecycle.last_activity", other+"a user",
			"entity.relationships", other+"a membership, which is an entity of its own", "group.domain saas.entity.owners", untold,
			"saas.entity.member_count saas.entity.external_member_count saas.entity.is_dynamic saas.entity.is_admin_group", untold)},
	{name: "inventory_app_grant", tables: "7+7 app_grant", is: "event.module=okta entity.type=app_grant entity.id=oag3ih1zrm1cBFOiq0h6",
		lacks: entity("entity.display_name", other+"a user", "entity.source saas.entity", other+"a user",
			"entity.lifecycle.last_activity saas.entity.last_used", other+"a grant that Box was seen to use",
			"saas.app.publisher saas.app.verified saas.grant.user_count saas.entity.expires", untold)},
	{name: "inventory_file", tables: "7+7 file", is: "event.module=box entity.type=file entity.id=42123 saas.finding.scan=done",
		lacks: entity("entity.display_name entity.source", other+"a user", "entity.lifecycle.last_activity", other+"a user",
			"saas.inventory.run_id", other+"the same file in a walk, which has no verdict yet", "saas.entity.last_accessed", untold)},
	{name: "inventory_privilege", tables: "7+7 privilege",
		is: "event.module=okta entity.id=user/00uqKPpDtcZAHo8PtiZw/irbXVr4miukoatMYJX9i",
		lacks: entity("entity.display_name entity.source", other+"a user", "entity.lifecycle.last_activity", other+"a user",
			"group", other+"a role that a group holds", "saas.entity.assigned_by saas.entity.permanent saas.entity.expires", untold)},
	{name: "inventory_credential", tables: "7+7 credential", is: "event.module=okta entity.type=credential saas.credential.type=api_token",
		lacks: entity("entity.display_name", other+"a user", "entity.lifecycle.last_activity", other+"a user",
			"saas.entity saas.entity.last_used", other+"a grant", "saas.entity.age_days", "it follows from entity.lifecycle.created")},
	{name: "inventory_deletion", is: "event.module=okta entity.type=user event.type=deletion"},
	{name: "inventory_complete", is: "event.module=okta event.action=inventory.complete event.id=users#1@complete"},
	{name: "finding", tables: "8", is: "event.dataset=saas.finding event.action=content_match rule.id=pci.credit_card",
		lacks: because("event.risk_score", other+"an alert of the vendor", "user", other+"a finding in an event; a file has saas.file.owner")},
	{name: "finding_scan", is: "event.dataset=saas.finding event.action=content_scan"},
	{name: "finding_policy", is: "event.dataset=saas.finding event.action=policy_match"},
	{name: "finding_vendor", is: "event.dataset=box_events.shield_alerts event.id=b9a2393a-20cf-4307-90f5-000000000059"},
	{name: "action_requested", is: "event.dataset=saas.action saas.activity=action_requested"},
	{name: "action_result", tables: "9", is: "event.dataset=saas.action saas.activity=action_result",
		lacks: because("saas.action.after", "only a quarantine and an undo that could not bring back all note it",
			"event.reason error", other+"what failed")},
	{name: "health_gap", is: "event.dataset=saas.agent event.action=gap event.module=okta"},
	{name: "health_set_aside", is: "event.dataset=saas.agent event.action=record_set_aside event.module=okta"},
	{name: "health_permissions", is: "event.dataset=saas.agent event.action=permissions_read event.module=okta"},
}
