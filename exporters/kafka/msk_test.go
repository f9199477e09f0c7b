package kafka

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	kafka "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/metadata"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/sasl"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/longshore-dev/longshore/internal/delivery/deliverytest"
)

// The key of AWS's published examples of signatures.
const (
	exampleID     = "AKIAIOSFODNN7EXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func TestSignaturesAreThoseOfKnownAnswers(t *testing.T) {
	f := func(address, id, secret, token, hash, service, region, at, want string) {
		t.Helper()
		when, err := time.Parse("20060102T150405Z", at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := presign(t.Context(), aws.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, address, hash,
			service, region, when)
		if err != nil || got.Get("X-Amz-Signature") != want || got.Get("X-Amz-Security-Token") != token {
			t.Fatalf("%s: %v, %v, want the signature %s", address, got, err, want)
		}
	}
	// Amazon S3, API reference, "Authenticating requests: using query parameters", the example.
	f("https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Expires=86400", exampleID, exampleSecret, "", "UNSIGNED-PAYLOAD", "s3",
		"us-east-1", "20130524T000000Z", "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
	// The known answer of the AWS_MSK_IAM module for kafka-go.
	f("kafka://localhost/?Action=kafka-cluster%3AConnect&X-Amz-Expires=300", "ACCESS_KEY", "SECRET_KEY", "", emptyHash, mskService,
		"us-east-1", "20211014T130500Z", "6b8d25f9b45b9c7db9da855a49112d80379224153a27fd279c305a5b7940d1a7")
	// Computed with botocore 1.43.11, SigV4QueryAuth.
	f("kafka://b-1.acme.kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Expires=900", "AKIDEXAMPLE",
		"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", emptyHash, mskService, "eu-west-1", "20261120T100000Z",
		"f896e38b1c3ed5d6615bbba6f184d568c6c80c3894708b983e93ebf36d81eb78")
	f("kafka://b-1.acme.kafka.eu-west-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Expires=900", "AKIDEXAMPLE",
		"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a+b/c==", emptyHash, mskService, "eu-west-1", "20261120T100000Z",
		"6fc3954628dc71dc063dcb2bf2a6fbd202bc9cd316ad61d8489ebcfd1edddaf2")
}

func TestMessageOfMSKHasTheDocumentedMembers(t *testing.T) {
	m := &msk{region: "eu-west-1", client: "longshore", now: func() time.Time { return deliverytest.Day },
		who: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a+b/c==")}
	ctx := sasl.WithMetadata(t.Context(), &sasl.Metadata{Host: "b-1.acme.kafka.eu-west-1.amazonaws.com", Port: 9098})
	session, message, err := m.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"action":"kafka-cluster:Connect","host":"b-1.acme.kafka.eu-west-1.amazonaws.com","user-agent":"longshore",` +
		`"version":"2020_10_22","x-amz-algorithm":"AWS4-HMAC-SHA256",` +
		`"x-amz-credential":"AKIDEXAMPLE/20261120/eu-west-1/kafka-cluster/aws4_request",` +
		`"x-amz-date":"20261120T100000Z","x-amz-expires":"900","x-amz-security-token":"a+b/c==",` +
		`"x-amz-signature":"6fc3954628dc71dc063dcb2bf2a6fbd202bc9cd316ad61d8489ebcfd1edddaf2","x-amz-signedheaders":"host"}`
	if string(message) != want {
		t.Fatalf("got  %s\nwant %s", message, want)
	}
	f := func(answer string, ok bool) {
		t.Helper()
		if done, _, err := session.Next(ctx, []byte(answer)); done != ok || (err == nil) != ok {
			t.Fatalf("%q: %v, %v", answer, done, err)
		}
	}
	f(`{"version":"2020_10_22","request-id":"r"}`, true)
	f(`{"version":"2031_01_01"}`, false)
	f("", false)
	if _, _, err := m.Start(t.Context()); err == nil {
		t.Fatal("signed for no host")
	}
}

// mskBroker is a stand-in for one broker of an MSK cluster with IAM: it checks the signature as AWS documents it, on its
// own, and knows what standIn knows.
type mskBroker struct {
	*standIn
	t      *testing.T
	listen net.Listener
	host   string
	port   int
	secret string // of exampleID
	token  string

	wait    sync.WaitGroup
	guard   sync.Mutex
	open    []net.Conn
	refused []error
}

func newMSKBroker(t *testing.T, token string) (b *mskBroker, authority string) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	authority = filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(authority, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	b = &mskBroker{standIn: newStandIn(), t: t, listen: l, host: "127.0.0.1", port: port, secret: exampleSecret, token: token}
	b.wait.Go(b.accept)
	t.Cleanup(func() {
		_ = l.Close()
		b.guard.Lock()
		for _, c := range b.open {
			_ = c.Close()
		}
		b.guard.Unlock()
		b.wait.Wait()
	})
	return b, authority
}

func (b *mskBroker) accept() {
	for {
		c, err := b.listen.Accept()
		if err != nil {
			return
		}
		b.guard.Lock()
		b.open = append(b.open, c)
		b.guard.Unlock()
		b.wait.Go(func() {
			defer func() { _ = c.Close() }()
			if err := b.serve(c); err != nil {
				b.guard.Lock()
				b.refused = append(b.refused, err)
				b.guard.Unlock()
			}
		})
	}
}

// serve answers until the connection ends, or has no right to go on.
func (b *mskBroker) serve(c net.Conn) error {
	known := false
	for {
		version, id, _, req, err := protocol.ReadRequest(c)
		if err != nil {
			return nil // closed
		}
		var res protocol.Message
		switch r := req.(type) {
		case *apiversions.Request:
			keys := []apiversions.ApiKeyResponse{{ApiKey: 0, MaxVersion: 7}, {ApiKey: 3, MaxVersion: 8}, {ApiKey: 17, MaxVersion: 1},
				{ApiKey: 18, MaxVersion: 2}, {ApiKey: 36, MaxVersion: 1}}
			res = &apiversions.Response{ApiKeys: keys}
		case *saslhandshake.Request:
			res = &saslhandshake.Response{Mechanisms: []string{"AWS_MSK_IAM"}}
			if r.Mechanism != "AWS_MSK_IAM" {
				res = &saslhandshake.Response{ErrorCode: int16(kafka.UnsupportedSASLMechanism)}
			}
		case *saslauthenticate.Request:
			if err := b.verify(r.AuthBytes); err != nil {
				return err // a broker hangs up
			}
			known = true
			res = &saslauthenticate.Response{AuthBytes: []byte(`{"version":"2020_10_22","request-id":"1"}`)}
		default:
			if !known {
				return fmt.Errorf("%T before the log-on", req)
			}
			if res, err = b.answer(c, req); err != nil {
				return err
			}
		}
		if err := protocol.WriteResponse(c, version, id, res); err != nil {
			return nil
		}
	}
}

func (b *mskBroker) answer(c net.Conn, req protocol.Message) (protocol.Message, error) {
	res, err := b.RoundTrip(b.t.Context(), c.LocalAddr(), req)
	if err != nil {
		return nil, err
	}
	if m, ok := res.(*metadata.Response); ok {
		m.Brokers = []metadata.ResponseBroker{{NodeID: 0, Host: b.host, Port: int32(b.port)}}
		m.ClusterID = "stand-in"
	}
	return res, nil
}

// verify computes the signature of a message by itself.
func (b *mskBroker) verify(text []byte) error {
	m := map[string]string{}
	if err := json.Unmarshal(text, &m); err != nil {
		return err
	}
	at, err := time.Parse("20060102T150405Z", m["x-amz-date"])
	if err != nil || time.Since(at).Abs() > 5*time.Minute || m["x-amz-expires"] != "900" {
		return fmt.Errorf("signed at %q for %q", m["x-amz-date"], m["x-amz-expires"])
	}
	scope := []string{at.Format("20060102"), "eu-west-1", "kafka-cluster", "aws4_request"}
	if m["version"] != "2020_10_22" || m["host"] != b.host || m["action"] != "kafka-cluster:Connect" || m["user-agent"] == "" ||
		m["x-amz-credential"] != exampleID+"/"+strings.Join(scope, "/") || m["x-amz-security-token"] != b.token ||
		m["x-amz-signedheaders"] != "host" {
		return fmt.Errorf("message %s", text)
	}
	signature := m["x-amz-signature"]
	var query []string
	for _, name := range []string{"Action", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Security-Token",
		"X-Amz-SignedHeaders"} {
		if val, ok := m[strings.ToLower(name)]; ok {
			query = append(query, name+"="+strings.ReplaceAll(url.QueryEscape(val), "+", "%20"))
		}
	}
	hash := func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }
	request := strings.Join([]string{"GET", "/", strings.Join(query, "&"), "host:" + b.host, "", "host", hash("")}, "\n")
	signed := strings.Join([]string{"AWS4-HMAC-SHA256", m["x-amz-date"], strings.Join(scope, "/"), hash(request)}, "\n")
	key := []byte("AWS4" + b.secret)
	for _, step := range append(slices.Clone(scope), signed) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(step))
		key = mac.Sum(nil)
	}
	if hex.EncodeToString(key) != signature {
		return errors.New("the signature is not of this key")
	}
	return nil
}

// mskExporter logs on to b with a secret; what it logs is kept.
func mskExporter(t *testing.T, b *mskBroker, authority string, who AWSConfig) (*sink, *observer.ObservedLogs) {
	t.Helper()
	cfg, _ := defaultConfig().(*Config)
	cfg.Brokers = []string{fmt.Sprintf("%s:%d", b.host, b.port)}
	cfg.TLS = configoptional.Some(configtls.ClientConfig{Config: configtls.Config{CAFile: authority}})
	cfg.SASL = SASLConfig{Mechanism: mechanismMSK, AWS: who}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	core, lines := observer.New(zap.DebugLevel)
	set := exportertest.NewNopSettings(NewFactory().Type())
	set.Logger = zap.New(core)
	e := newSink(set, cfg)
	if err := e.start(t.Context(), componenttest.NewNopHost()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e, lines
}

func TestRecordsArriveWhereTheSignatureIsChecked(t *testing.T) {
	b, authority := newMSKBroker(t, "token+/=")
	e, _ := mskExporter(t, b, authority, AWSConfig{Region: "eu-west-1", AccessKeyID: exampleID, SecretAccessKey: exampleSecret,
		SessionToken: "token+/="})
	logs := deliverytest.Batch(0, 50)
	drain(t, e, logs)
	deliverytest.Same(t, b.keys("saas.events"), deliverytest.IDs(logs))
}

func TestWrongKeyIsRefusedAndNoSecretIsShown(t *testing.T) {
	const wrong = "another-secret-of-this-length-EXAMPLEKEY"
	b, authority := newMSKBroker(t, "")
	e, lines := mskExporter(t, b, authority, AWSConfig{Region: "eu-west-1", AccessKeyID: exampleID, SecretAccessKey: wrong})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := e.push(ctx, deliverytest.Batch(0, 3))
	if err == nil || len(b.messages) != 0 {
		t.Fatalf("%d messages, %v", len(b.messages), err)
	}
	b.guard.Lock()
	defer b.guard.Unlock()
	if len(b.refused) == 0 || !strings.Contains(b.refused[0].Error(), "not of this key") {
		t.Fatalf("refused with %v", b.refused)
	}
	for _, line := range append(lines.All(), observer.LoggedEntry{Context: []zap.Field{zap.Error(err)}}) {
		if text := fmt.Sprint(line.Message, line.ContextMap()); strings.Contains(text, wrong) {
			t.Fatalf("a secret in %s", text)
		}
	}
}

func TestIdentityComesFromTheEnvironmentOrAProfile(t *testing.T) {
	dir := t.TempDir()
	shared, keys := filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	for path, text := range map[string]string{shared: "[profile ops]\nregion = eu-west-1\n",
		keys: "[ops]\naws_access_key_id = " + exampleID + "\naws_secret_access_key = " + exampleSecret + "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, val := range map[string]string{"AWS_CONFIG_FILE": shared, "AWS_SHARED_CREDENTIALS_FILE": keys,
		"AWS_EC2_METADATA_DISABLED": "true",
		"AWS_REGION":                "", "AWS_DEFAULT_REGION": "", "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""} {
		t.Setenv(name, val)
	}
	b, authority := newMSKBroker(t, "")
	e, _ := mskExporter(t, b, authority, AWSConfig{Profile: "ops"})
	drain(t, e, deliverytest.Batch(0, 3))
	deliverytest.Same(t, b.keys("saas.events"), deliverytest.IDs(deliverytest.Batch(0, 3)))

	if _, err := (AWSConfig{}).mechanism(t.Context(), "longshore"); err == nil || !strings.Contains(err.Error(), "region") {
		t.Fatalf("without a region: %v", err)
	}
	if _, err := (AWSConfig{Profile: "none"}).mechanism(t.Context(), "longshore"); err == nil || !strings.Contains(err.Error(), "none") {
		t.Fatalf("without the profile: %v", err)
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", exampleID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", exampleSecret)
	e, _ = mskExporter(t, b, authority, AWSConfig{})
	drain(t, e, deliverytest.Batch(0, 5))
	deliverytest.Same(t, slices.Compact(b.keys("saas.events")), deliverytest.IDs(deliverytest.Batch(0, 5)))
}

func TestRoleIsAssumedBeforeTheLogOn(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/kafka"
	var asked url.Values
	// A stand-in for AWS STS: it hands out the one key that the broker knows.
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		asked = r.PostForm
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>`+
			`<AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>of-the-role</SessionToken>`+
			`<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, exampleID, exampleSecret,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	defer s.Close()
	t.Setenv("AWS_ENDPOINT_URL_STS", s.URL)
	b, authority := newMSKBroker(t, "of-the-role")
	e, _ := mskExporter(t, b, authority, AWSConfig{Region: "eu-west-1", AccessKeyID: "AKIDFIRST", SecretAccessKey: "first", Role: role,
		ExternalID: "outside"})
	drain(t, e, deliverytest.Batch(0, 3))
	deliverytest.Same(t, b.keys("saas.events"), deliverytest.IDs(deliverytest.Batch(0, 3)))
	want := map[string]string{"Action": "AssumeRole", "RoleArn": role, "ExternalId": "outside", "RoleSessionName": "longshore"}
	for name, val := range want {
		if asked.Get(name) != val {
			t.Errorf("%s: asked with %v, want %q", name, asked, val)
		}
	}
}

func TestIdentitiesThatContradictThemselvesAreRefused(t *testing.T) {
	f := func(tls bool, c SASLConfig, want string) {
		t.Helper()
		err := c.check(tls)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")) {
			t.Fatalf("%+v: %v, want %q", c, err, want)
		}
	}
	secret := configopaque.String("hunter2")
	role := "arn:aws:iam::123456789012:role/kafka"
	f(true, SASLConfig{Mechanism: mechanismMSK}, "")
	f(true, SASLConfig{Mechanism: mechanismMSK, AWS: AWSConfig{Region: "eu-west-1", Role: role, ExternalID: secret}}, "")
	f(true, SASLConfig{Mechanism: mechanismMSK, AWS: AWSConfig{AccessKeyID: "a", SecretAccessKey: secret, SessionToken: secret}}, "")
	f(false, SASLConfig{Mechanism: mechanismMSK}, "tls")
	f(true, SASLConfig{Mechanism: mechanismMSK, Username: "u", Password: secret}, `"u"`)
	f(true, SASLConfig{Mechanism: mechanismMSK, AWS: AWSConfig{AccessKeyID: "AKID"}}, `"AKID"`)
	f(true, SASLConfig{Mechanism: mechanismMSK, AWS: AWSConfig{SecretAccessKey: secret}}, "access_key_id")
	f(true, SASLConfig{Mechanism: mechanismMSK, AWS: AWSConfig{SessionToken: secret}}, "session_token")
	f(true, SASLConfig{Mechanism: mechanismMSK, AWS: AWSConfig{Profile: "p", AccessKeyID: "a", SecretAccessKey: secret}}, `"p"`)
	f(true, SASLConfig{Mechanism: mechanismMSK, AWS: AWSConfig{ExternalID: secret}}, "external_id")
	f(true, SASLConfig{Mechanism: mechanismMSK, AWS: AWSConfig{Role: "kafka"}}, `"kafka"`)
	f(true, SASLConfig{Mechanism: mechanismPlain, Username: "u", Password: secret, AWS: AWSConfig{Role: role}}, "aws")
	long := strings.Repeat("y", 70)
	for in, want := range map[string]string{"longshore": "longshore", "a b/ü": "a-b--", "x": "longshore", long: long[:64]} {
		if got := sessionName(in); got != want {
			t.Errorf("session of %q is %q, want %q", in, got, want)
		}
	}
}
