// Package deliverytest has what the tests of exporters share: events to send, and a push that is retried as the collector does.
package deliverytest
