package elasticsearch

import (
	"encoding/base64"
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
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
)

// Config is what a user writes below `elasticsearch:`. Keys are named as those of the contrib exporter of this name where they
// mean the same; the keys of an HTTP client (tls, proxy_url, headers, timeout, auth …) are those of every component.
type Config struct {
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Endpoints are the addresses of the nodes; when one is down, another is used. Example: ["https://es1:9200"].
	Endpoints []string `mapstructure:"endpoints"`
	// CloudID names a deployment of Elastic Cloud, instead of endpoints.
	CloudID string `mapstructure:"cloudid"`
	// Flavor is the kind of the servers: elasticsearch or opensearch. Default: elasticsearch.
	Flavor string `mapstructure:"flavor"`
	// APIKey is the encoded API key. It needs create_doc on logs-*, index on saas-entities-*, and manage_index_templates
	// and monitor on the cluster unless install_templates is false.
	APIKey configopaque.String `mapstructure:"api_key"`
	// User and Password are the other way to log on.
	User     string              `mapstructure:"user"`
	Password configopaque.String `mapstructure:"password"`
	// Namespace is the last part of the names of data streams and indices. Default: saas.
	Namespace string `mapstructure:"namespace"`
	// Pipeline is an ingest pipeline of the cluster through which documents go. Default: none.
	Pipeline string `mapstructure:"pipeline"`
	// NumWorkers bounds the bulk requests in flight at once, of all batches together. Default: 4.
	NumWorkers int `mapstructure:"num_workers"`
	// Flush says when a bulk request is full.
	Flush FlushConfig `mapstructure:"flush"`
	// DropOriginal leaves the provider's raw object (event.original) out. Default: false.
	DropOriginal bool `mapstructure:"drop_original"`
	// InstallTemplates installs index templates on start, and newer ones after an upgrade. Default: true.
	InstallTemplates bool `mapstructure:"install_templates"`
	// Lifecycle is how long documents are kept.
	Lifecycle LifecycleConfig `mapstructure:"lifecycle"`
	// DeadLetter is where documents go that can never be indexed.
	DeadLetter DeadLetterConfig `mapstructure:"dead_letter"`

	// QueueConfig is a queue before the exporter. Default: none, so that a receiver's mark follows the acknowledgement.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`
	// RetryConfig says how what was refused for now is tried again. Default: after 0.5 s to 30 s, without end.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
}

// FlushConfig bounds a bulk request.
type FlushConfig struct {
	// Bytes are those of the encoded documents before compression; a single larger document goes alone. Default: 5 MiB.
	Bytes int `mapstructure:"bytes"`
}

// DeadLetterConfig names one place.
type DeadLetterConfig struct {
	// Index is a data stream or index. Default: logs-saas.dead_letter-<namespace>.
	Index string `mapstructure:"index"`
	// File is a file of JSON lines, instead of an index.
	File string `mapstructure:"file"`
}

const (
	elastic    = "elasticsearch"
	openSearch = "opensearch"

	defaultNamespace = "saas"
	defaultBulkBytes = 5 << 20
	maxBulkBytes     = 100 << 20 // the server's own bound of a request
	defaultWorkers   = 4
	maxWorkers       = 64
)

func defaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 60 * time.Second
	client.Compression = configcompression.TypeGzip
	keep := confighttp.KeepaliveClientConfig{MaxIdleConns: 4 * maxWorkers, MaxIdleConnsPerHost: maxWorkers, IdleConnTimeout: 30 * time.Second}
	client.Keepalive = configoptional.Some(keep)
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxInterval, retry.MaxElapsedTime = 500*time.Millisecond, 30*time.Second, 0
	return &Config{
		ClientConfig: client, Flavor: elastic, Namespace: defaultNamespace, NumWorkers: defaultWorkers,
		Flush: FlushConfig{Bytes: defaultBulkBytes}, InstallTemplates: true, Lifecycle: defaultLifecycle(),
		QueueConfig: configoptional.Default(exporterhelper.NewDefaultQueueConfig()), RetryConfig: retry,
	}
}

func checkFlavor(flavor string) error {
	if flavor != elastic && flavor != openSearch {
		return fmt.Errorf("flavor %q: it must be %s or %s", flavor, elastic, openSearch)
	}
	return nil
}

// otherwise says what takes the place of keys that the contrib exporter has and this one has not.
var otherwise = [...][2]string{
	{"retry", "use retry_on_failure; nothing is dropped after a number of attempts"},
	{"flush::interval", "nothing waits for a flush: use sending_queue::batch to gather more"},
	{"logs_index", "documents go to logs-<dataset>-<namespace>: set namespace"},
	{"logs_dynamic_index", "documents go to logs-<dataset>-<namespace>: set namespace"},
	{"logs_dynamic_id", "a document's id always follows from the record"},
	{"logstash_format", "documents go to the data streams logs-<dataset>-<namespace>"},
	{"discover", "servers are not asked for other nodes: list them in endpoints"},
	{"telemetry", "bodies, which hold what was exported, are never logged"},
}

// Unmarshal reads the configuration. A key of the contrib exporter that means nothing here is refused with what to use.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	for _, o := range otherwise {
		if conf.IsSet(o[0]) {
			return fmt.Errorf("%s is not a key of this exporter: %s", strings.ReplaceAll(o[0], "::", "."), o[1])
		}
	}
	if mode := conf.Get("mapping::mode"); mode != nil && mode != "ecs" {
		return fmt.Errorf("mapping.mode %q: documents are always ecs", mode)
	}
	conf.Delete("mapping")
	return conf.Unmarshal(c)
}

// Validate checks the configuration.
func (c *Config) Validate() error {
	for _, err := range [...]error{checkFlavor(c.Flavor), c.checkAddresses(), c.checkLogon(), c.checkNames(), c.Lifecycle.check()} {
		if err != nil {
			return err
		}
	}
	switch c.ClientConfig.Compression {
	case "", "none", configcompression.TypeGzip, configcompression.TypeZstd:
	default:
		return fmt.Errorf("compression %q: it must be gzip, zstd or none", c.ClientConfig.Compression)
	}
	if c.Flush.Bytes < 64<<10 || c.Flush.Bytes > maxBulkBytes {
		return fmt.Errorf("flush.bytes %d: it must be from %d to %d", c.Flush.Bytes, 64<<10, maxBulkBytes)
	}
	if c.NumWorkers < 1 || c.NumWorkers > maxWorkers {
		return fmt.Errorf("num_workers %d: it must be from 1 to %d", c.NumWorkers, maxWorkers)
	}
	return nil
}

func (c *Config) checkAddresses() error {
	all, err := c.addresses()
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New(`endpoints is empty: give at least one, such as "https://localhost:9200", or a cloudid`)
	}
	for _, e := range all {
		u, err := url.Parse(e)
		switch {
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return fmt.Errorf("endpoints: %q is no http or https address", redact(e))
		case u.User != nil:
			return fmt.Errorf("endpoints: %q holds credentials: use user and password, or api_key", u.Redacted())
		case u.RawQuery != "" || u.Fragment != "":
			return fmt.Errorf("endpoints: %q has more than a path", e)
		}
	}
	return nil
}

func (c *Config) checkLogon() error {
	if c.APIKey != "" && c.User != "" {
		return fmt.Errorf("api_key and user %q exclude each other", c.User)
	}
	if (c.User == "") != (c.Password == "") {
		return fmt.Errorf("user %q: user and password belong together", c.User)
	}
	return nil
}

func (c *Config) checkNames() error {
	if why := unfit(c.Namespace); why != "" {
		return fmt.Errorf("namespace %q: %s", c.Namespace, why)
	}
	if c.Namespace == "default" && c.InstallTemplates {
		return errors.New(`namespace "default" belongs to other agents, whose data streams our templates would take over:` +
			` choose another, or set install_templates to false`)
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

// addresses are those of all nodes, without a slash at the end; the key `endpoint` of an HTTP client names one.
func (c *Config) addresses() ([]string, error) {
	all := slices.Clone(c.Endpoints)
	if len(all) == 0 && c.ClientConfig.Endpoint != "" {
		all = append(all, c.ClientConfig.Endpoint)
	}
	if c.CloudID != "" {
		if len(all) > 0 {
			return nil, fmt.Errorf("cloudid %q and endpoints %q exclude each other", c.CloudID, redact(all[0]))
		}
		address, err := cloudAddress(c.CloudID)
		if err != nil {
			return nil, err
		}
		all = append(all, address)
	}
	for i := range all {
		all[i] = strings.TrimRight(all[i], "/")
	}
	return all, nil
}

// authorization is the header of that name.
func (c *Config) authorization() string {
	switch {
	case c.APIKey != "":
		return "ApiKey " + string(c.APIKey)
	case c.User != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.User+":"+string(c.Password)))
	}
	return ""
}

func (c *Config) deadLetterIndex() string {
	if c.DeadLetter.Index != "" {
		return c.DeadLetter.Index
	}
	return "logs-saas.dead_letter-" + c.Namespace
}
