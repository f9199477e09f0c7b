package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/segmentio/kafka-go/sasl"
)

const (
	mskVersion = "2020_10_22"
	mskService = "kafka-cluster"
	mskAction  = "kafka-cluster:Connect"
	mskExpires = "900" // seconds, as AWS recommends
	emptyHash  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// msk is the mechanism AWS_MSK_IAM: the one message of a client is the query of a presigned request to the broker, as JSON.
type msk struct {
	region, client string
	who            aws.CredentialsProvider
	now            func() time.Time
}

// Name implements sasl.Mechanism.
func (m *msk) Name() string { return "AWS_MSK_IAM" }

// Start implements sasl.Mechanism.
func (m *msk) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	broker := sasl.MetadataFromContext(ctx)
	if broker == nil || broker.Host == "" {
		return nil, nil, errors.New("sign for broker: its host is not known")
	}
	who, err := m.who.Retrieve(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("get aws credentials for broker %q: %w", broker.Host, err)
	}
	message, err := m.message(ctx, who, broker.Host)
	if err != nil {
		return nil, nil, fmt.Errorf("sign for broker %q: %w", broker.Host, err)
	}
	return mskAnswer{}, message, nil
}

func (m *msk) message(ctx context.Context, who aws.Credentials, host string) ([]byte, error) {
	query := url.Values{"Action": {mskAction}, "X-Amz-Expires": {mskExpires}}
	signed, err := presign(ctx, who, "kafka://"+host+"/?"+query.Encode(), emptyHash, mskService, m.region, m.now())
	if err != nil {
		return nil, err
	}
	out := map[string]string{"version": mskVersion, "host": host, "user-agent": m.client}
	for name, values := range signed {
		out[strings.ToLower(name)] = values[0]
	}
	return json.Marshal(out)
}

// presign gives the query of a GET request that is signed with AWS Signature Version 4.
func presign(ctx context.Context, who aws.Credentials, address, hash, service, region string, at time.Time) (url.Values, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	signed, _, err := v4.NewSigner().PresignHTTP(ctx, who, req, hash, service, region, at.UTC())
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(signed)
	if err != nil {
		return nil, err
	}
	return u.Query(), nil
}

// mskAnswer reads what a broker says to the message. One that refuses ends the connection.
type mskAnswer struct{}

// Next implements sasl.StateMachine.
func (mskAnswer) Next(_ context.Context, answer []byte) (done bool, response []byte, err error) {
	var known struct{ Version string }
	if err := json.Unmarshal(answer, &known); err != nil {
		return false, nil, fmt.Errorf("read the broker's answer to AWS_MSK_IAM: %w", err)
	}
	if known.Version != mskVersion {
		return false, nil, fmt.Errorf("read the broker's answer to AWS_MSK_IAM: version %q, not %q", known.Version, mskVersion)
	}
	return true, nil, nil
}
