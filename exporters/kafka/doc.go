// Package kafka writes records to Apache Kafka: one message per record, the topic by the class of the record or a template,
// the key and the headers (module, dataset, schema, event_id) by which a consumer recognises it.
//
// It promises: key, value and partition depend only on the record, so a repeat is equal to the first; a batch is acknowledged by all
// in-sync replicas by default; only what was not is given back to be tried again, and messages of a partition keep their
// order in it; what no broker will take goes to the dead-letter topic with the reason; a topic that is only being made is
// waited for. Message times are times of export, in place of event.ingested: retention by time must not delete what was read late.
//
// The client has no idempotent producer: its batches carry the producer id -1, so brokers cannot tell a repeat. When a broker
// dies between writing and answering, messages are repeated with the same key, event_id and value: nothing is lost, and a
// consumer that must not see a repeat drops keys that it has seen. A repeat may also come after later messages of its
// partition. What a deleted entity leaves is a last state, and a tombstone after it where that is asked for.
package kafka
