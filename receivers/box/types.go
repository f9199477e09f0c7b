package box

// eventTypes are the members of an event that have a field of their own in an index. additional_details has whatever members
// the kind of event wants, and is searched as a whole.
const eventTypes = `
keyword
 box.{type,event_id,event_type,session_id,ip_address}
 box.{created_by,accessible_by}.{id,type,name,login}
 box.source.{id,type,name,login,description,status,etag,sequence_id,sha1,item_id,item_name,item_type,item_status}
 box.source.{file_id,file_name,folder_id,folder_name,user_id,user_name,group_id,group_name}
 box.source.{address,phone,job_title,language,timezone,role}
 box.source.{owned_by,created_by,modified_by}.{id,type,name,login}
 box.source.parent.{id,type,name,etag,sequence_id}
 box.source.file_version.{id,type,sha1}
 box.source.path_collection.entries.{id,type,name}
date box.{created_at,recorded_at} box.source.{created_at,modified_at}
long box.source.size box.source.path_collection.total_count
flattened box.additional_details
`
