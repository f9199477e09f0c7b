package okta

// logTypes are the members of a log event that have a field of their own in an index: those of the published event but for maps
// of any keys, which are searched as a whole. debug_data is searched as a whole beside its best known members.
const logTypes = `
keyword
 okta.{uuid,version,severity,event_type,legacy_event_type,display_message}
 okta.actor.{id,type,alternate_id,display_name}
 okta.target.{id,type,alternate_id,display_name}
 okta.client.{id,zone,device}
 okta.client.user_agent.{raw_user_agent,os,browser}
 okta.client.geographical_context.{city,state,country,postal_code}
 okta.device.{id,name,os_platform,os_version,disk_encryption_type,screen_lock_type}
 okta.outcome.{result,reason}
 okta.transaction.{id,type}
 okta.transaction.detail.request_api_token_id
 okta.authentication_context.{authentication_provider,credential_provider,credential_type,external_session_id,root_session_id,interface}
 okta.authentication_context.issuer.{id,type}
 okta.security_context.{as_org,isp,domain}
 okta.debug_context.debug_data.{authn_request_id,behaviors,client_secret,device_fingerprint,dt_hash,factor,grant_type,granted_scopes}
 okta.debug_context.debug_data.{initiation_type,login_result,origin,original_principal_id,prompting_policy_types,privilege_granted}
 okta.debug_context.debug_data.{privilege_revoked,request_id,request_uri,requested_scopes,risk,risk_behaviors,risk_level,risk_object}
 okta.debug_context.debug_data.{risk_reasons,sign_on_mode,threat_detections,threat_suspected,tunnels,url,user_id,flattened_text}
ip okta.client.ip_address
long okta.authentication_context.authentication_step okta.security_context.as_number
boolean okta.security_context.is_proxy okta.device.{managed,registered,secure_hardware_present}
date okta.published
geo_point okta.client.geographical_context.geolocation
flattened
 okta.actor.detail_entry okta.target.{detail_entry,change_details} okta.request.ip_chain okta.device.device_integrator
 okta.debug_context.debug_data.flattened
`
