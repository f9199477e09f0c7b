package googleworkspace

import (
	"net/http"
	"slices"
	"strconv"
)

// simChange is an entry of the log of changes.
type simChange struct {
	file    string
	home    *simHome
	viewers []string // addresses of who had it
	at      string
	removed bool // from all
}

// changed notes that a file changed, and tells of it where there is an event for that.
func (s *simOrg) changed(c *simCall, f *simFile, kind, name string, params ...string) {
	t := s.tree
	var viewers []string
	for _, p := range t.held(f) {
		if p.kind == "user" {
			viewers = append(viewers, p.email)
		}
	}
	t.log = append(t.log, simChange{f.id, f.home, viewers, simTime(s.o.Now()), t.get(f.id) == nil})
	t.last[f.id] = len(t.log)
	if name != "" {
		s.tellOf(c, f, "drive", kind, name, append([]string{"primary_event?=true", "doc"}, params...)...)
	}
}

// listChanges is GET /changes: of what the user has, or of a shared drive. A page token is a place in the log and does not
// expire; several changes of a file are one.
func (s *simOrg) listChanges(c *simCall) (any, *simNo) {
	limit, no := c.size(100, 1000)
	if no != nil {
		return nil, no
	}
	from, err := strconv.Atoi(c.query("pageToken"))
	t := s.tree
	drive := t.drive(c.query("driveId"))
	switch {
	case c.query("pageToken") == "":
		return nil, &simNo{http.StatusBadRequest, "required", "Required parameter: pageToken", "pageToken"}
	case err != nil || from < 1 || from > len(t.log)+1:
		return nil, simInvalid("pageToken", c.query("pageToken"))
	case c.query("driveId") != "" && (drive == nil || !s.member(c, drive)):
		return nil, &simNo{http.StatusNotFound, "notFound", "Shared drive not found: " + c.query("driveId"), "driveId"}
	case drive != nil && !(c.yes("supportsAllDrives") && c.yes("includeItemsFromAllDrives")):
		return nil, simBad("invalid", "driveId needs supportsAllDrives and includeItemsFromAllDrives.")
	}
	rows, at := []obj{}, from-1
	for ; at < len(t.log) && len(rows) < limit; at++ {
		e := t.log[at]
		if t.last[e.file] == at+1 && s.concerns(c, e, drive) {
			rows = append(rows, s.change(c, e))
		}
	}
	out := obj{"kind": "drive#changeList", "changes": rows}
	if at < len(t.log) {
		out["nextPageToken"] = itoa(at + 1)
	} else {
		out["newStartPageToken"] = itoa(at + 1)
	}
	return out, nil
}

// concerns says whether a change is of the feed that is read.
func (s *simOrg) concerns(c *simCall, e simChange, drive *simHome) bool {
	switch {
	case drive != nil:
		return e.home == drive
	case e.home.user == nil && (c.yes("restrictToMyDrive") || !c.yes("includeItemsFromAllDrives")):
		return false
	}
	return slices.Contains(e.viewers, c.by.email) && (c.query("includeRemoved") != "false" || !e.removed)
}

func (s *simOrg) change(c *simCall, e simChange) obj {
	out := obj{"kind": "drive#change", "changeType": "file", "type": "file", "time": e.at, "fileId": e.file, "removed": true}
	if f := s.tree.get(e.file); f != nil && s.tree.role(c.by, f, false) != "" {
		out["removed"], out["file"] = false, s.file(c, f, s.tree.role(c.by, f, false), c.mask["changes"]["file"])
	}
	return out
}
