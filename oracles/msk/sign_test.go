package msk

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/longshore-dev/longshore/exporters/kafka"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// broker takes the log-on of every connection, gives it to the test and hangs up. It ends with the test.
func broker(t *testing.T, cert procs.Cert) (port int, messages chan []byte) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert.Cert, cert.Key)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	messages = make(chan []byte, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				if m := logOn(c); m != nil {
					messages <- m
				}
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, messages
}

func logOn(c net.Conn) []byte {
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	for {
		version, id, _, req, err := protocol.ReadRequest(c)
		if err != nil {
			return nil
		}
		var res protocol.Message
		switch r := req.(type) {
		case *apiversions.Request:
			res = &apiversions.Response{ApiKeys: []apiversions.ApiKeyResponse{{ApiKey: 0, MaxVersion: 7}, {ApiKey: 3, MaxVersion: 8},
				{ApiKey: 17, MaxVersion: 1}, {ApiKey: 18, MaxVersion: 2}, {ApiKey: 36, MaxVersion: 1}}}
		case *saslhandshake.Request:
			res = &saslhandshake.Response{Mechanisms: []string{"AWS_MSK_IAM"}}
		case *saslauthenticate.Request:
			return r.AuthBytes
		default:
			return nil
		}
		if err := protocol.WriteResponse(c, version, id, res); err != nil {
			return nil
		}
	}
}

func TestLogOnIsSignedAsBotocoreSignsIt(t *testing.T) {
	python := filepath.Join(procs.Python(t, "requirements.txt"), "python")
	cert := procs.NewCert(t)
	for i, who := range []kafka.AWSConfig{
		{Region: "eu-west-1", AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"},
		{Region: "us-gov-west-1", AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "a+b/c=d&e f%é",
			SessionToken: configopaque.String("IQoJ+/=" + strings.Repeat("b3JpZ2luX2Vj+/", 60) + "==")},
		{Region: "cn-north-1", AccessKeyID: "AKID", SecretAccessKey: "s", SessionToken: "~-_.*'() "},
	} {
		t.Run(fmt.Sprint(i, who.Region), func(t *testing.T) { signed(t, python, cert, who) })
	}
}

func signed(t *testing.T, python string, cert procs.Cert, who kafka.AWSConfig) {
	port, messages := broker(t, cert)
	f := kafka.NewFactory()
	cfg := f.CreateDefaultConfig().(*kafka.Config)
	cfg.Brokers, cfg.RetryConfig.Enabled, cfg.Timeout = []string{fmt.Sprintf("127.0.0.1:%d", port)}, false, 5*time.Second
	cfg.TLS = configoptional.Some(configtls.ClientConfig{Config: configtls.Config{CAFile: cert.CA}})
	cfg.SASL = kafka.SASLConfig{Mechanism: "aws_msk_iam", AWS: who}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	e, err := f.CreateLogs(t.Context(), exportertest.NewNopSettings(f.Type()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Shutdown(context.Background()) }()
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes().PutStr("event.id", "1")
	if err := e.ConsumeLogs(t.Context(), logs); err == nil {
		t.Fatal("written without a log-on")
	}
	var got map[string]string
	select {
	case m := <-messages:
		for len(messages) > 0 { // of further tries
			m = <-messages
		}
		if err := json.Unmarshal(m, &got); err != nil {
			t.Fatal(err)
		}
	default:
		t.Fatal("no log-on came")
	}
	ask, err := json.Marshal(map[string]string{"id": who.AccessKeyID, "secret": string(who.SecretAccessKey), "token": string(who.SessionToken),
		"region": who.Region, "host": got["host"], "date": got["x-amz-date"]})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, "sign.py")
	cmd.Stdin = bytes.NewReader(ask)
	var fault strings.Builder
	cmd.Stderr = &fault
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("sign with botocore: %v\n%s", err, fault.String())
	}
	var want map[string]string
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	if len(want) < 7 || len(got) != len(want)+3 || got["version"] != "2020_10_22" || got["host"] != "127.0.0.1" || got["user-agent"] == "" {
		t.Fatalf("members %v, botocore has %v", got, want)
	}
	for name, val := range want {
		if got[strings.ToLower(name)] != val {
			t.Errorf("%s is %q, botocore's %q", name, got[strings.ToLower(name)], val)
		}
	}
}
