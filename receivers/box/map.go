package box

import "github.com/longshore-dev/longshore/internal/event"

var (
	eventLayout = event.Compile(eventFields)
	eventFields = event.Table{{"event_id", "event.id"}}
)
