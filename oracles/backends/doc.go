// Package backends runs unmodified servers for tests: Apache Kafka, Elasticsearch and OpenSearch, fetched by Maven by name,
// started by the scripts beside this file on free loopback ports, with their data in the test's own folder.
//
// It promises: a server ends with its test, also when the test's process is killed; two test processes never fetch at the
// same time. A test is skipped with the reason where Java or Maven are missing, and fails there when CI is true.
// Elasticsearch runs without X-Pack, OpenSearch without its security and ISM plugins: what that leaves out is not tested here.
package backends
