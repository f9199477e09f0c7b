package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
	"go.opentelemetry.io/collector/config/configopaque"
)

// SASLConfig is an account at the brokers.
type SASLConfig struct {
	// Mechanism is plain, scram-sha-256, scram-sha-512 or aws_msk_iam. Plain sends the password as it is: use it with tls
	// only; aws_msk_iam is refused without.
	Mechanism string              `mapstructure:"mechanism"`
	Username  string              `mapstructure:"username"`
	Password  configopaque.String `mapstructure:"password"`
	// AWS says for aws_msk_iam who logs on, and where.
	AWS AWSConfig `mapstructure:"aws"`
}

// AWSConfig names an identity in AWS. All of it may be left out: then environment, shared files, web identity, container
// and instance are asked, in this order, as every AWS SDK does.
type AWSConfig struct {
	// Region of the cluster. Default: that of the environment or the profile.
	Region string `mapstructure:"region"`
	// Profile of the shared files. Default: AWS_PROFILE, else default.
	Profile string `mapstructure:"profile"`
	// AccessKeyID and SecretAccessKey are a fixed key; SessionToken belongs to a key for a time.
	AccessKeyID     string              `mapstructure:"access_key_id"`
	SecretAccessKey configopaque.String `mapstructure:"secret_access_key"`
	SessionToken    configopaque.String `mapstructure:"session_token"`
	// Role is the ARN of a role that this identity assumes. Default: none.
	Role string `mapstructure:"role"`
	// ExternalID is what the role's owner asks for. Default: none.
	ExternalID configopaque.String `mapstructure:"external_id"`
}

const (
	mechanismPlain  = "plain"
	mechanismSHA256 = "scram-sha-256"
	mechanismSHA512 = "scram-sha-512"
	mechanismMSK    = "aws_msk_iam"
)

var mechanisms = []string{"", mechanismPlain, mechanismSHA256, mechanismSHA512, mechanismMSK}

func (c SASLConfig) check(tls bool) error {
	if !slices.Contains(mechanisms, c.Mechanism) {
		return fmt.Errorf("sasl: mechanism %q: it is one of %s", c.Mechanism, strings.Join(mechanisms[1:], ", "))
	}
	if c.Mechanism == mechanismMSK {
		switch {
		case c.Username != "" || c.Password != "":
			return fmt.Errorf("sasl: mechanism %q, username %q: it has neither username nor password, see aws", c.Mechanism, c.Username)
		case !tls:
			return fmt.Errorf("sasl: mechanism %q: it needs tls, write tls: {}", c.Mechanism)
		}
		return c.AWS.check()
	}
	if c.AWS != (AWSConfig{}) {
		return fmt.Errorf("sasl: aws: it belongs to mechanism %q, not %q", mechanismMSK, c.Mechanism)
	}
	if (c.Mechanism == "") != (c.Username == "") || (c.Username == "") != (c.Password == "") {
		return fmt.Errorf("sasl: mechanism %q, username %q: mechanism, username and password belong together", c.Mechanism, c.Username)
	}
	return nil
}

func (c AWSConfig) check() error {
	switch {
	case (c.AccessKeyID == "") != (c.SecretAccessKey == ""):
		return fmt.Errorf("sasl: aws: access_key_id %q: access_key_id and secret_access_key belong together", c.AccessKeyID)
	case c.SessionToken != "" && c.AccessKeyID == "":
		return errors.New("sasl: aws: session_token: it belongs to an access_key_id")
	case c.AccessKeyID != "" && c.Profile != "":
		return fmt.Errorf("sasl: aws: profile %q, access_key_id %q: give one of the two", c.Profile, c.AccessKeyID)
	case c.ExternalID != "" && c.Role == "":
		return errors.New("sasl: aws: external_id: it belongs to a role")
	}
	if a, err := arn.Parse(c.Role); c.Role != "" && (err != nil || a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/")) {
		return fmt.Errorf("sasl: aws: role %q is no ARN of a role", c.Role)
	}
	return nil
}

// mechanism is how a connection logs on; nil: not at all.
func (c SASLConfig) mechanism(ctx context.Context, clientID string) (sasl.Mechanism, error) {
	algorithm := scram.SHA256
	switch c.Mechanism {
	case "":
		return nil, nil
	case mechanismPlain:
		return plain.Mechanism{Username: c.Username, Password: string(c.Password)}, nil
	case mechanismMSK:
		return c.AWS.mechanism(ctx, clientID)
	case mechanismSHA512:
		algorithm = scram.SHA512
	}
	m, err := scram.Mechanism(algorithm, c.Username, string(c.Password))
	if err != nil {
		return nil, fmt.Errorf("prepare sasl mechanism %q for user %q: %w", c.Mechanism, c.Username, err)
	}
	return m, nil
}

// mechanism reads the environment and the shared files. It asks nobody: credentials are fetched with the first connection.
func (c AWSConfig) mechanism(ctx context.Context, clientID string) (sasl.Mechanism, error) {
	options := []func(*awsconfig.LoadOptions) error{awsconfig.WithRegion(c.Region)}
	if c.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(c.Profile))
	}
	if c.AccessKeyID != "" {
		options = append(options, awsconfig.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(c.AccessKeyID, string(c.SecretAccessKey), string(c.SessionToken))))
	}
	loaded, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("load aws settings of profile %q: %w", c.Profile, err)
	}
	if loaded.Region == "" {
		return nil, errors.New("sasl: aws: region is empty, and neither the environment nor the profile has one")
	}
	who := loaded.Credentials
	if c.Role != "" {
		who = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(loaded), c.Role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName(clientID)
			if c.ExternalID != "" {
				o.ExternalID = aws.String(string(c.ExternalID))
			}
		}))
	}
	return &msk{region: loaded.Region, client: clientID, who: who, now: time.Now}, nil
}

// sessionName is the client's name in the characters and the length that AWS allows.
func sessionName(clientID string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune("+=,.@-_", r) || r < 0x80 && (r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z') {
			return r
		}
		return '-'
	}, clientID)
	if len(name) < 2 {
		return "longshore"
	}
	return name[:min(len(name), 64)]
}
