// Package googleworkspace holds every request and answer of a whole reading and of all actions against Google's own descriptions
// of its APIs, and reads and governs the fake with Google's own clients.
package googleworkspace
