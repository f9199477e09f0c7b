package salesforce

// eventTypes are the members of events of the datasets with public names that have a field of their own in an index: of rows of
// objects, and of lines of log files. The others are searched as a whole.
const eventTypes = `
keyword
 salesforce.login.{id,event_identifier,user_id,username,login_type,login_sub_type,login_url,forwarded_for_ip,country_iso,login_geo_id}
 salesforce.login.{status,application,browser,platform,client_version,api_type,api_version,auth_method_reference,tls_protocol}
 salesforce.login.{cipher_suite,network_id,login_key,session_key,session_level,login_history_id,policy_outcome,user_type}
 salesforce.login.{event_type,request_id,organization_id,user_id_derived,user_name,login_status,request_status,browser_type,uri}
 salesforce.logout.{id,event_identifier,user_id,username,login_key,session_key,session_level,event_type,request_id,organization_id}
 salesforce.logout.{user_id_derived,user_type,session_type,app_type,browser_type,platform_type,user_initiated_logout}
 salesforce.apex.{event_type,request_id,organization_id,user_id,user_id_derived,uri,session_key,login_key,entry_point,quiddity}
 salesforce.apex.{exception_type,exception_message,exception_category,class_name,method_name,trigger_name,trigger_type,entity_name}
 salesforce.apex.{type,method,url,status_code,client_name,user_agent,request_status}
 salesforce.setupaudittrail.{id,action,section,display,delegate_user,created_by_id,created_by_context,created_by_issuer}
 salesforce.setupaudittrail.{responsible_namespace_prefix,created_by.username,created_by.name}
ip salesforce.login.{source_ip,client_ip} salesforce.logout.{source_ip,client_ip} salesforce.apex.client_ip
date
 salesforce.login.{login_time,event_date,created_date,timestamp_derived} salesforce.logout.{event_date,created_date,timestamp_derived}
 salesforce.apex.timestamp_derived salesforce.setupaudittrail.created_date
long salesforce.apex.{run_time,cpu_time,exec_time,callout_time,rows_processed} salesforce.login.{run_time,cpu_time}
`
