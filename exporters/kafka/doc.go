// Package kafka writes records to Apache Kafka: one message per record, the topic by the class of the record, the key and
// the headers (module, dataset, schema, event_id) by which a consumer recognises it.
//
// It promises: the key depends only on the record, so a repeat has the key of the first; a batch is acknowledged by all
// in-sync replicas by default; only what was not is given back to be tried again, and messages of a partition keep their
// order in it; what no broker will take goes to the dead-letter topic with the reason; a topic that is only being made is
// waited for. Message times are times of export: retention by time must not delete what was read late.
//
// The client has no idempotent producer. When a broker dies between writing and answering, messages are repeated: nothing
// is lost, and a consumer that must not see a repeat drops keys that it has seen. Deleted entities are messages too, not
// tombstones.
package kafka
