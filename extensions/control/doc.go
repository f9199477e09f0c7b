// Package control is the extension through which `longshore connector` and `longshore actions` talk to a running agent.
//
// It serves a small HTTP API in JSON on a Unix socket that only the agent's own account may open (mode 0600):
//
//	GET  /v1/connectors               the connected tenants and their streams
//	POST /v1/connectors/{id}/disable  stop reading; stays so across restarts
//	POST /v1/connectors/{id}/enable   go on from where reading stopped
//
// It promises that a socket left behind by a killed agent is replaced, that the socket of a live one is not, and that
// answers and requests are bounded. Who may open the socket is left to the file system.
package control
