package box

import (
	"maps"
	"net/http"
	"slices"

	"github.com/longshore-dev/longshore/internal/sim"
)

// changeUser is PUT /2.0/users/{user}: nobody changes the primary administrator, and only he his co-administrators.
func (s *simOrg) changeUser(c *simCall) {
	var in struct {
		Status, Role *string
		Reset        *bool `json:"is_password_reset_required"`
		Name         *string
	}
	u := s.named(c)
	if u == nil || !s.read(c, &in) {
		return
	}
	switch above := c.user.service || s.roleOf(c.user) == "admin"; {
	case u.external:
		s.failStatus(c.w, c.r, http.StatusNotFound)
		return
	case s.roleOf(u) == "admin", u.service, !above && (s.governs(u) || in.Role != nil):
		s.failStatus(c.w, c.r, http.StatusForbidden)
		return
	case in.Role != nil && *in.Role != "user" && *in.Role != "coadmin":
		s.invalid(c, "role", *in.Role)
		return
	case in.Status != nil && !slices.Contains([]string{"active", "inactive", "cannot_delete_edit", "cannot_delete_edit_upload"}, *in.Status):
		s.invalid(c, "status", *in.Status)
		return
	}
	s.mu.Lock()
	var kinds []string
	if in.Role != nil && *in.Role != u.role {
		u.role, kinds = *in.Role, append(kinds, "CHANGE_ADMIN_ROLE")
	}
	edited := in.Status != nil && *in.Status != u.status || in.Reset != nil && *in.Reset != u.reset
	if edited {
		kinds = append(kinds, "EDIT_USER")
	}
	if in.Status != nil {
		u.status = *in.Status
	}
	if in.Reset != nil {
		u.reset = *in.Reset
	}
	if len(kinds) > 0 {
		u.changed = s.o.Now()
	}
	out := u.status == "inactive"
	s.mu.Unlock()
	for _, kind := range kinds {
		s.note(c.user, kind, u.mini(), nil)
	}
	if out { // whoever is shut out has no tokens
		s.issuer.Revoke(func(a sim.Access) bool { return a.Owner == u.id })
	}
	c.json(http.StatusOK, s.profile(c, u))
}

// endSessions is POST /2.0/users/terminate_sessions, which takes users by id and by login, and both lists must be there.
func (s *simOrg) endSessions(c *simCall) {
	var in struct {
		IDs    *[]string `json:"user_ids"`
		Logins *[]string `json:"user_logins"`
	}
	if !s.read(c, &in) {
		return
	}
	if in.IDs == nil || in.Logins == nil || len(*in.IDs)+len(*in.Logins) == 0 {
		s.fail(c.w, http.StatusBadRequest, "bad_request", "Users can not be NULL or EMPTY")
		return
	}
	whom := map[*simUser]bool{}
	for _, u := range s.users {
		if slices.Contains(*in.IDs, u.id) || slices.Contains(*in.Logins, u.login) {
			whom[u] = true
		}
	}
	for _, u := range slices.SortedFunc(maps.Keys(whom), func(a, b *simUser) int { return a.n - b.n }) {
		s.note(c.user, "USER_SESSIONS_TERMINATED", u.mini(), nil) // the vendor does not tell its name
	}
	c.json(http.StatusAccepted, obj{"message": "Request is successful, please check the admin events for the status of the job"})
}

// simStreams are the names that published knows, but for content.
var simStreams = []string{"events", "users", "groups", "group_members", "privileges", "files", "trash"}

// published is Sim.Published. The stream content has the files whose content is judged, or said why it cannot be.
func (s *simOrg) published(stream string, f func(key string) bool) {
	switch stream {
	case "events":
		s.feed.Published(f)
	case "files", "trash", "content":
		s.publishedItems(stream, f)
	default:
		for _, key := range s.keysOf(stream) {
			if !f(key) {
				return
			}
		}
	}
}

// keysOf lists what a stream of the directory holds now.
func (s *simOrg) keysOf(stream string) (keys []string) {
	switch stream {
	case "users":
		for _, u := range s.users {
			keys = append(keys, u.id)
		}
	case "privileges":
		for _, u := range s.users {
			if role := s.roleOf(u); role != "user" {
				keys = append(keys, u.id+"/"+role)
			}
		}
	case "groups", "group_members":
		for _, g := range s.groups {
			if stream == "groups" {
				keys = append(keys, g.id)
				continue
			}
			for _, m := range g.members {
				if keys = append(keys, m.id); m.role == "admin" { // a privilege too
					keys = append(keys, m.id+"#1")
				}
			}
		}
	}
	return keys
}

// publishedItems calls f for what walks find as the users that requests can be made for: their own, and once what others
// share with them.
func (s *simOrg) publishedItems(stream string, f func(key string) bool) {
	self, walked := s.service, map[string]bool{}
	if s.o.Variant == "coadmin" {
		self = s.users[1]
	}
	for _, u := range s.users {
		walked[u.id] = u == self || s.mayBe(self, u)
	}
	s.files.RLock()
	defer s.files.RUnlock()
	more := true
	s.tree.every(func(it *simItem, live bool) bool {
		key := it.kind + "/" + it.id
		switch {
		case stream == "content" && it.kind == "file":
			key = it.id
		case stream == "content", live != (stream == "files"):
			return true
		}
		if owner := s.tree.ownerOf(it); !live && (it.trashed.IsZero() || !walked[it.owner]) || live && !walked[owner] {
			return true
		}
		more = f(key)
		return more
	})
	seen := map[string]bool{}
	for _, u := range s.users {
		if stream != "files" || !walked[u.id] {
			continue
		}
		s.tree.list(u.id, simRoot(u.id), 0, func(it *simItem, _ int) bool {
			if key := it.kind + "/" + it.id; more && s.tree.ownerOf(it) == simPartner.id && !seen[key] {
				seen[key], more = true, f(key)
			}
			return more
		})
	}
}
