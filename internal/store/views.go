package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// shown are the fields that have a column in the views. What is not here is in doc.
const shown = `@timestamp
event.id event.category event.type event.reason event.code event.provider event.severity event.risk_score event.created event.ingested
event.start event.end message tags error.code error.message organization.id organization.name
saas.activity saas.actor.type saas.actor.external saas.target.external
user.id user.name user.email user.full_name user.domain user.roles user.effective.name
user.target.id user.target.name user.target.email user.target.full_name user.target.group.id user.target.group.name
group.id group.name group.domain related.user related.ip related.hosts
source.address source.port source.domain source.geo.city_name source.geo.region_name source.geo.country_name source.geo.country_iso_code
source.as.number source.as.organization.name client.ip
user_agent.original user_agent.name user_agent.os.name device.id host.name session.id transaction.id
service.id service.name application.id application.name url.path
saas.auth.protocol saas.auth.method saas.auth.mfa saas.auth.idp saas.auth.admin_console saas.risk.level saas.risk.reasons
saas.role.id saas.role.name saas.role.scope saas.role.privileged
saas.app.id saas.app.name saas.app.publisher saas.app.verified saas.grant.scopes saas.grant.admin_consent saas.grant.user_count
saas.credential.id saas.credential.type saas.credential.expires saas.change.field saas.change.old saas.change.new
saas.object.type saas.object.id saas.object.name
file.name file.path file.extension file.size file.mime_type file.type file.owner file.created file.mtime file.hash.sha1 file.hash.sha256
saas.file.id saas.file.version saas.file.owner.id saas.file.owner.email saas.file.labels
saas.container.id saas.container.name saas.container.type
saas.share.visibility saas.share.role saas.share.recipients saas.share.external_domains
saas.share.link.url saas.share.link.password saas.share.link.expires
email.subject email.from.address email.to.address email.message_id
entity.type entity.id entity.name entity.display_name entity.source entity.sub_type entity.relationships
entity.lifecycle.created entity.lifecycle.changed entity.lifecycle.last_activity entity.lifecycle.deleted
saas.entity.status saas.entity.is_admin saas.entity.is_guest saas.entity.mfa_enrolled saas.entity.mfa_methods saas.entity.password_changed
saas.entity.last_login saas.entity.last_used saas.entity.last_accessed saas.entity.expires saas.entity.manager saas.entity.department
saas.entity.employee_type saas.entity.license saas.entity.aliases saas.entity.owners saas.entity.member_count
saas.entity.external_member_count saas.entity.is_dynamic saas.entity.is_admin_group saas.entity.visibility saas.entity.assigned_by
saas.entity.permanent saas.entity.path saas.entity.age_days saas.entity.finding_count
saas.inventory.run_id saas.inventory.complete saas.inventory.first_seen
rule.id rule.name rule.category rule.version rule.ruleset threat.tactic.name threat.technique.id threat.technique.name
saas.finding.status saas.finding.confidence saas.finding.scan saas.finding.data_type saas.finding.count saas.finding.unique_count
saas.finding.sample_redacted saas.finding.location saas.finding.first_seen saas.finding.last_seen
saas.action.id saas.action.plan_id saas.action.mode saas.action.policy saas.action.requested_by saas.action.approved_by
saas.action.finding_id saas.action.entity_id saas.action.before saas.action.after saas.action.attempts`

// viewColumn is the name of a field's column: user.target.name is user_target_name, saas.role.name is role_name.
func viewColumn(field string) string {
	return strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(field, "@"), "saas."), ".", "_")
}

// views are the tables as analysts read them. Columns of a table come first: they have the indexes.
var views = []struct{ name, columns, from string }{
	{"events", eventColumns, "documents WHERE kind <> 'asset' AND dataset NOT IN ('saas.finding', 'saas.action', 'saas.agent')"},
	{"findings", eventColumns, "documents WHERE dataset = 'saas.finding'"},
	{"actions", eventColumns, "documents WHERE dataset = 'saas.action'"},
	{"health", eventColumns, "documents WHERE dataset = 'saas.agent'"},
	{"entities", "seq, id, time, deleted, module, dataset, tenant, type, native, name", "states"},
}

const eventColumns = "seq, id, time, module, dataset, tenant, kind, action, outcome, user, source_ip"

// viewText is the statement that makes a view.
func viewText(name, columns, from string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE VIEW %s AS SELECT %s", name, columns)
	for field := range strings.FieldsSeq(shown) {
		path := field
		if strings.HasPrefix(field, "@") {
			path = `"` + field + `"`
		}
		fmt.Fprintf(&b, ", doc ->> '$.%s' AS %s", path, viewColumn(field))
	}
	return b.String() + ", doc FROM " + from
}

// makeViews makes the views that are not as this program makes them.
func makeViews(ctx context.Context, tx *sql.Tx) error {
	for _, v := range views {
		want, got := viewText(v.name, v.columns, v.from), ""
		err := tx.QueryRowContext(ctx, "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?", v.name).Scan(&got)
		if err != nil && err != sql.ErrNoRows {
			return err
		}
		if got == want {
			continue
		}
		if _, err := tx.ExecContext(ctx, "DROP VIEW IF EXISTS "+v.name+"; "+want); err != nil {
			return fmt.Errorf("make view %s: %w", v.name, err)
		}
	}
	return nil
}
