// Package msk asks botocore, AWS's own library for Python, whether the Kafka exporter signs its log-on to MSK as AWS does. The
// broker is a stand-in that takes the message and hangs up: no real broker with IAM can be run here.
package msk
