// Package exporters holds no code: its tests run the exporters against real Kafka and Elasticsearch, killed and restarted
// under load, and compare what was published with what the servers hold.
package exporters
