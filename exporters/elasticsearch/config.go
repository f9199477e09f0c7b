package elasticsearch

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Config is what a user writes below `elasticsearch:`; the keys of an HTTP client (tls, proxy_url, headers, timeout,
// compression …) are those of every OpenTelemetry component.
type Config struct {
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Endpoints are the addresses of the nodes; when one is down, another is used. Example: ["https://es1:9200"].
	Endpoints []string `mapstructure:"endpoints"`
	// APIKey is the encoded API key. It needs create_doc on logs-*, index on saas-entities-*, and manage_index_templates
	// and monitor on the cluster unless install_templates is false.
	APIKey configopaque.String `mapstructure:"api_key"`
	// User and Password are the other way to log on.
	User     string              `mapstructure:"user"`
	Password configopaque.String `mapstructure:"password"`
	// Namespace is the last part of the names of data streams and indices. Default: saas.
	Namespace string `mapstructure:"namespace"`
	// MaxBulkBytes bounds one bulk request before compression; a single larger document goes alone. Default: 5 MiB.
	MaxBulkBytes int `mapstructure:"max_bulk_bytes"`
	// DropOriginal leaves the provider's raw object (event.original) out. Default: false.
	DropOriginal bool `mapstructure:"drop_original"`
	// InstallTemplates installs index templates on start, and newer ones after an upgrade. Default: true.
	InstallTemplates bool `mapstructure:"install_templates"`
	// DeadLetter is where documents go that can never be indexed.
	DeadLetter DeadLetterConfig `mapstructure:"dead_letter"`

	// QueueConfig is a queue before the exporter. Default: none, so that a receiver's mark follows the acknowledgement.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// RetryConfig says how what was refused for now is tried again. Default: after 0.5 s to 30 s, without end.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

// DeadLetterConfig names one place.
type DeadLetterConfig struct {
	// Index is a data stream or index. Default: logs-saas.dead_letter-<namespace>.
	Index string `mapstructure:"index"`
	// File is a file of JSON lines, instead of an index.
	File string `mapstructure:"file"`
}

const (
	defaultNamespace = "saas"
	defaultBulkBytes = 5 << 20
	maxBulkBytes     = 100 << 20 // the server's own bound of a request
)

func defaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 60 * time.Second
	client.Compression = configcompression.TypeGzip
	keep := confighttp.KeepaliveClientConfig{MaxIdleConns: 16, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second}
	client.Keepalive = configoptional.Some(keep)
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxInterval, retry.MaxElapsedTime = 500*time.Millisecond, 30*time.Second, 0
	return &Config{
		ClientConfig: client, Namespace: defaultNamespace, MaxBulkBytes: defaultBulkBytes, InstallTemplates: true,
		QueueConfig: configoptional.Default(exporterhelper.NewDefaultQueueConfig()), RetryConfig: retry,
	}
}

// Validate checks the configuration.
func (c *Config) Validate() error {
	endpoints := c.endpoints()
	if len(endpoints) == 0 {
		return errors.New(`endpoints is empty: give at least one, such as "https://localhost:9200"`)
	}
	for _, e := range endpoints {
		u, err := url.Parse(e)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return fmt.Errorf("endpoints: %q is no http or https address", redact(e))
		case u.User != nil:
			return fmt.Errorf("endpoints: %q holds credentials: use user and password, or api_key", u.Redacted())
		}
	}
	if c.APIKey != "" && c.User != "" {
		return fmt.Errorf("api_key and user %q exclude each other", c.User)
	}
	if (c.User == "") != (c.Password == "") {
		return fmt.Errorf("user %q: user and password belong together", c.User)
	}
	if why := unfit(c.Namespace); why != "" {
		return fmt.Errorf("namespace %q: %s", c.Namespace, why)
	}
	if c.Namespace == "default" && c.InstallTemplates {
		return errors.New(`namespace "default" belongs to other agents, whose data streams our templates would take over:` +
			` choose another, or set install_templates to false`)
	}
	if c.MaxBulkBytes < 64<<10 || c.MaxBulkBytes > maxBulkBytes {
		return fmt.Errorf("max_bulk_bytes %d: it must be from %d to %d", c.MaxBulkBytes, 64<<10, maxBulkBytes)
	}
	if c.DeadLetter.Index != "" && c.DeadLetter.File != "" {
		return fmt.Errorf("dead_letter: index %q and file %q exclude each other", c.DeadLetter.Index, c.DeadLetter.File)
	}
	if i := c.DeadLetter.Index; i != strings.ToLower(i) || strings.ContainsAny(i, forbidden) {
		return fmt.Errorf("dead_letter: index %q is no name of an index", i)
	}
	return nil
}

// redact keeps what could be a password out of an error.
func redact(endpoint string) string {
	if at := strings.LastIndexByte(endpoint, '@'); at >= 0 {
		return "…" + endpoint[at:]
	}
	return endpoint
}

// endpoints are all nodes; the key `endpoint` of an HTTP client names one.
func (c *Config) endpoints() []string {
	all := slices.Clone(c.Endpoints)
	if len(all) == 0 && c.ClientConfig.Endpoint != "" {
		all = append(all, c.ClientConfig.Endpoint)
	}
	return all
}

func (c *Config) deadLetterIndex() string {
	if c.DeadLetter.Index != "" {
		return c.DeadLetter.Index
	}
	return "logs-saas.dead_letter-" + c.Namespace
}

// forbidden are the characters that no name of an index may have.
const forbidden = "\\/*?\"<>| ,#:\x00\n\r\t"

// unfit says why a part of a data stream's name cannot be one, or "".
func unfit(part string) string {
	switch {
	case part == "":
		return "it is empty"
	case len(part) > 100:
		return "it is longer than 100 bytes"
	case part != strings.ToLower(part):
		return "it has capital letters"
	case strings.ContainsAny(part, forbidden+"-"):
		return "it has a hyphen or another character that names of data streams cannot have"
	}
	return ""
}

// fit makes a dataset a part of a data stream's name.
func fit(dataset string) string {
	if dataset == "" {
		return "generic"
	}
	dataset = strings.Map(func(r rune) rune {
		if strings.ContainsRune(forbidden+"-", r) {
			return '_'
		}
		return r
	}, strings.ToLower(dataset))
	if len(dataset) > 100 {
		dataset = strings.ToValidUTF8(dataset[:100], "")
	}
	return dataset
}
