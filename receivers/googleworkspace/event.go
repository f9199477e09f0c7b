package googleworkspace

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/event"
	"github.com/longshore-dev/longshore/internal/saas"
)

// activityEvent is one of the events of an activity.
type activityEvent struct {
	raw        json.RawMessage
	kind, name string
	status     json.RawMessage
	params     map[string]json.RawMessage // by name, as they would be without the types in between
	order      []string
}

// readEvent reads an event. Some who keep these events write its parameters as an object already.
func readEvent(raw json.RawMessage) activityEvent {
	e := activityEvent{raw: raw, kind: saas.TextAt(raw, "type"), status: saas.Member(raw, "status")}
	e.name = strings.TrimSpace(saas.TextAt(raw, "name"))
	e.params, e.order = readParams(saas.Member(raw, "parameters"))
	return e
}

// readParams gives parameters by name, and their order.
func readParams(raw json.RawMessage) (map[string]json.RawMessage, []string) {
	params, order := map[string]json.RawMessage{}, []string(nil)
	add := func(name string, val json.RawMessage) {
		if _, twice := params[name]; !twice && name != "" {
			order = append(order, name)
		}
		if len(val) > 0 && name != "" {
			params[name] = val
		}
	}
	for name, val := range event.Members(raw) {
		add(name, val)
	}
	for p := range event.Elems(raw) {
		add(saas.TextAt(p, "name"), valueOf(p))
	}
	return params, order
}

// valueOf is the value of a parameter, whichever type it has.
func valueOf(p json.RawMessage) (out json.RawMessage) {
	for name, val := range event.Members(p) {
		switch name {
		case "value", "boolValue", "multiValue", "multiBoolValue":
			out = val
		case "intValue":
			out = number(val)
		case "multiIntValue":
			out = list(val, number)
		case "messageValue":
			out = message(val)
		case "multiMessageValue":
			out = list(val, message)
		}
	}
	return out
}

// number is a whole number that was sent as a text.
func number(val json.RawMessage) json.RawMessage {
	if s := saas.Text(val); s != "" {
		if _, err := strconv.ParseInt(s, 10, 64); err == nil {
			return json.RawMessage(s)
		}
	}
	return val
}

func list(val json.RawMessage, of func(json.RawMessage) json.RawMessage) json.RawMessage {
	var out []json.RawMessage
	for e := range event.Elems(val) {
		out = append(out, of(e))
	}
	return saas.Array(out)
}

// message is a parameter that has parameters of its own.
func message(val json.RawMessage) json.RawMessage {
	params, order := readParams(saas.Member(val, "parameter"))
	t := &tree{}
	for _, name := range order {
		t.put(name, params[name])
	}
	return t.append(nil)
}

// str is a parameter as text; of a list the first.
func (e *activityEvent) str(name string) string {
	val := e.params[name]
	if len(val) > 0 && val[0] == '[' {
		for first := range event.Elems(val) {
			val = first
			break
		}
	}
	if len(val) == 0 || val[0] == 'n' || val[0] == '{' || val[0] == '[' {
		return ""
	}
	if val[0] == '"' {
		return saas.Text(val)
	}
	return string(val)
}

// first is the first of parameters that is there.
func (e *activityEvent) first(names ...string) string {
	for _, name := range names {
		if s := e.str(name); s != "" {
			return s
		}
	}
	return ""
}

// strs is a parameter as a list. Some lists come as one text with commas in it.
func (e *activityEvent) strs(name string) (out []string) {
	for val := range event.Elems(e.params[name]) {
		out = append(out, saas.Text(val))
	}
	if s := e.str(name); out == nil && s != "" {
		out = strings.Split(s, ",")
	}
	return out
}

// eventsOf are the events of an activity; one that was cut from its activity is its only one.
func eventsOf(v *event.Values) iter.Seq[activityEvent] { return eventsIn(v.Raw, v.Bytes(aEvents)) }

func eventsIn(raw, all json.RawMessage) iter.Seq[activityEvent] {
	return func(yield func(activityEvent) bool) {
		if len(all) == 0 || all[0] != '[' {
			yield(readEvent(raw))
			return
		}
		for e := range event.Elems(all) {
			if !yield(readEvent(e)) {
				return
			}
		}
	}
}

// tree is a JSON object being made: names with dots stand for objects in objects.
type tree struct {
	names []string
	kids  map[string]*tree
	leaf  json.RawMessage
}

// put puts a value where there is none yet, and says whether it did.
func (t *tree) put(path string, val json.RawMessage) bool {
	if len(val) == 0 {
		return true
	}
	name, rest, deeper := strings.Cut(path, ".")
	if t.kids == nil {
		t.kids = map[string]*tree{}
	}
	kid := t.kids[name]
	if kid == nil {
		kid = &tree{}
		t.kids[name], t.names = kid, append(t.names, name)
	}
	if deeper {
		return kid.put(rest, val)
	}
	if kid.leaf != nil {
		return false
	}
	kid.leaf = val
	return true
}

func (t *tree) append(b []byte) []byte {
	if t.kids == nil && len(t.leaf) > 0 {
		return append(b, t.leaf...)
	}
	b = append(b, '{')
	if len(t.leaf) > 0 { // a value and, by other names, what is below it
		b = append(append(b, `"value":`...), t.leaf...)
	}
	for _, name := range t.names {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(append(b, saas.Quote(name)...), ':')
		b = t.kids[name].append(b)
	}
	return append(b, '}')
}

// reshape is event.Vendor's Reshape: the fields of one event of an activity, named as others know them. What has no other name
// goes by its own, in small letters.
func reshape(dataset, id string, raw json.RawMessage) json.RawMessage {
	switch dataset {
	case inventory:
		return saas.Join("inventory", raw)
	case alertSet:
		return saas.Join("alert", raw)
	}
	n := 0
	if at := strings.LastIndexByte(id, '#'); at >= 0 {
		n, _ = strconv.Atoi(id[at+1:])
	}
	all := saas.Member(raw, "events")
	t := &tree{}
	put := func(name string, path ...string) { t.put(name, saas.Member(raw, path...)) }
	put("kind", "kind")
	put("id.unique_qualifier", "id", "uniqueQualifier")
	put("actor.type", "actor", "callerType")
	put("actor.key", "actor", "key")
	put("actor.application_name", "actor", "applicationInfo", "applicationName")
	put("actor.oauth_client_id", "actor", "applicationInfo", "oauthClientId")
	put("actor.impersonation", "actor", "applicationInfo", "impersonation")
	put("organization.domain", "ownerDomain")
	put("network_info", "networkInfo")
	put("user_device_info", "userDeviceInfo")
	put("resource_details", "resourceDetails")
	for e := range eventsIn(raw, all) {
		if n--; n >= 0 {
			continue
		}
		e.fields(t, strings.TrimPrefix(dataset, module+"."))
		break
	}
	return t.append(nil)
}

// fields puts an event below the name of its application.
func (e *activityEvent) fields(t *tree, app string) {
	t.put("event.type", saas.Quote(e.kind))
	t.put("event.name", saas.Quote(e.name))
	t.put("event.status", e.status)
	t.put("event.resource_ids", saas.Member(e.raw, "resourceIds"))
	for _, name := range e.order {
		val, low := e.params[name], strings.ToLower(name)
		if bytes.Equal(val, []byte("null")) {
			continue
		}
		plain := app + "." + strings.ReplaceAll(low, ".", "_")
		to := renames[app+" "+low]
		if to == "" || !t.put(app+"."+to, val) {
			t.put(plain, val)
		}
	}
}

// renames are the names under which public rules know parameters, beside their own.
var renames = readRenames(`
admin application_edition=application.edition application_name=application.name application_enabled=application.enabled
 app_licenses_order_number=application.licences_order_number chrome_num_licenses_purchased=application.licences_purchased
 reauth_application=application.name group_email=group.email org_unit_name=org_unit.name full_org_unit_path=org_unit.full
 setting_name=setting.name setting_description=setting.description user_defined_setting_name=user_defined_setting.name
 user_custom_field=setting.name permission_group_name=setting.name group_priorities=group.priorities whitelisted_groups=group.allowed_list
 domain_name=domain.name domain_alias=domain.alias secondary_domain_name=domain.secondary_name
 managed_configuration_name=managed_configuration mobile_app_package_id=application.package_id app_id=application.id
 asp_id=application.asp_id flashlight_edu_non_featured_services_selection=non_featured_services_selection field_name=field
 resource_identifier=resource.id user_email=user.email user_nickname=user.nickname birthdate=user.birthdate gateway_name=gateway.name
 chrome_os_session_type=chrome_os.session_type device_serial_number=device.serial_number device_id=device.id company_device_id=device.id
 device_type=device.type device_command_details=device.command_details print_server_name=print_server.name printer_name=printer.name
 device_new_state=new_value device_previous_state=old_value device_new_org_unit=new_value device_previous_org_unit=old_value
 role_name=role.name role_id=role.id privilege_name=privilege.name site_name=url.name service_name=service.name product_name=product.name
 sku_name=product.sku bulk_upload_fail_users_number=bulk_upload.failed bulk_upload_total_users_number=bulk_upload.total
 group_member_bulk_upload_failed_number=bulk_upload.failed group_member_bulk_upload_total_number=bulk_upload.total
 email_log_search_msg_id=email.log_search_filter.message_id email_log_search_recipient=email.log_search_filter.recipient.value
 email_log_search_sender=email.log_search_filter.sender.value email_log_search_smtp_recipient_ip=email.log_search_filter.recipient.ip
 email_log_search_smtp_sender_ip=email.log_search_filter.sender.ip email_log_search_start_date=email.log_search_filter.start_date
 email_log_search_end_date=email.log_search_filter.end_date quarantine_name=email.quarantine_name
 chrome_licenses_enabled=chrome_licenses.enabled chrome_licenses_allowed=chrome_licenses.allowed oauth2_service_name=oauth2.service.name
 oauth2_app_id=oauth2.application.id oauth2_app_name=oauth2.application.name oauth2_app_type=oauth2.application.type
 allowed_two_step_verification_method=verification_method domain_verification_method=verification_method
 caa_assignments_new=new_value caa_assignments_old=old_value reauth_setting_new=new_value reauth_setting_old=old_value
 alert_name=alert.name alert_id=alert.id rule_name=rule.name api_client_name=api.client.name api_scopes=api.scopes
 play_for_work_token_id=mdm.token play_for_work_mdm_vendor_name=mdm.vendor email_monitor_dest_email=email_monitor.dest_email
 email_monitor_level_chat=email_monitor.level.chat email_monitor_level_draft_email=email_monitor.level.draft
 email_monitor_level_incoming_email=email_monitor.level.incoming email_monitor_level_outgoing_email=email_monitor.level.outgoing
 email_export_include_deleted=email_dump.include_deleted email_export_package_content=email_dump.package_content
 search_query_for_dump=email_dump.query destination_user_email=new_value request_id=request.id action_id=mobile.action.id
 action_type=mobile.action.type mobile_certificate_common_name=mobile.certificate.name
 number_of_company_owned_devices=mobile.company_owned_devices distribution_entity_name=distribution.entity.name
 distribution_entity_type=distribution.entity.type new_permission_grant_state=new_value old_permission_grant_state=old_value
drive doc_id=file.id doc_type=file.type owner=file.owner.email owner_is_shared_drive=file.owner.is_shared_drive
 new_settings_state=new_value old_settings_state=old_value
login login_challenge_method=challenge_method login_challenge_status=challenge_status login_failure_type=failure_type
 login_timestamp=timestamp login_type=type
token client_id=client.id client_type=client.type scope=scope.value scope_data=scope.data
groups group_email=email member_role=member.role user_email=member.email basic_setting=setting new_value_repeated=new_value
 old_value_repeated=old_value message_id=message.id message_moderation_action=message.moderation_action
device action_execution_status=action.execution_status action_id=action.id action_type=action.type application_id=application.id
 application_message=application.message application_report_key=application.report.key
 application_report_severity=application.report.severity application_report_timestamp=application.report.timestamp
 application_state=application.state device_compliance=compliance device_compromised_state=compromised_state
 device_deactivation_reason=deactivation_reason device_id=id device_model=model device_ownership=ownership device_property=property
 device_setting=setting device_status_on_apple_portal=status_on_apple_portal device_type=type os_edition=os.edition
 os_property=os.property os_version=os.version policy_name=policy.name policy_sync_result=policy.sync.result
 policy_sync_type=policy.sync.type resource_id=resource.id security_event_id=security.event_id security_patch_level=security.patch_level
rules device_id=device.id device_type=device.type matched_detectors=matched.detectors matched_templates=matched.templates
 matched_threshold=matched.threshold matched_trigger=matched.trigger resource_id=resource.id resource_owner_email=resource.owner_email
 resource_recipients=resource.recipients resource_recipients_omitted_count=resource.recipients_omitted_count
 resource_title=resource.title resource_type=resource.type rule_id=id rule_name=name rule_resource_name=resource.name rule_type=type
 rule_update_time_usec=update_time_usec space_id=space.id space_type=space.type`)

func readRenames(table string) map[string]string {
	out, app := map[string]string{}, ""
	for word := range strings.FieldsSeq(table) {
		if from, to, ok := strings.Cut(word, "="); ok {
			out[app+" "+from] = to
		} else {
			app = word
		}
	}
	return out
}

// encode is a value of which JSON can be made.
func encode(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
