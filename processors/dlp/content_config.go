package dlp

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/longshore-dev/longshore/internal/dlp/extract"
)

// ContentConfig says how the content of files is read. A change of a limit lets all content be read again.
type ContentConfig struct {
	// Enabled turns the reading of content on, for receivers that have files. Default: true.
	Enabled bool `mapstructure:"enabled"`
	// MaxSize is the size from which a file is not fetched. Example: 100MiB. Default: 64MiB.
	MaxSize Size `mapstructure:"max_size"`
	// MaxText is how much text of a file is looked at. Default: 32MiB.
	MaxText Size `mapstructure:"max_text"`
	// MaxDepth is how deep archives may stand in archives. Default: 4.
	MaxDepth int `mapstructure:"max_depth"`
	// MaxEntries is how many files all archives in a file may hold. Default: 10000.
	MaxEntries int `mapstructure:"max_entries"`
	// MaxRatio is how many bytes may come of one byte that is unpacked, over a whole file. Default: 200.
	MaxRatio float64 `mapstructure:"max_ratio"`
	// MaxXMLDepth is how many elements may stand in each other in XML. Default: 256.
	MaxXMLDepth int `mapstructure:"max_xml_depth"`
	// PDF bounds the reading of a PDF.
	PDF PDFConfig `mapstructure:"pdf"`
	// OCR is a server that reads the text of pictures. Default: none; pictures are not scanned.
	OCR OCRConfig `mapstructure:"ocr"`
	// Timeout is how long the reading of one file may take. Default: 60s.
	Timeout time.Duration `mapstructure:"timeout"`
	// Workers is how many files are read at the same time by all processors together; where they differ, the most that one of
	// them says. Default: 4.
	Workers int `mapstructure:"workers"`
}

// PDFConfig bounds the reading of a PDF, beside what bounds that of every file.
type PDFConfig struct {
	// MaxPages is how many pages are read, from the first one on. Default: 5000.
	MaxPages int `mapstructure:"max_pages"`
	// PageTimeout is how long it may take to open a PDF, and to read each page. Default: 10s.
	PageTimeout time.Duration `mapstructure:"page_timeout"`
	// MaxMemory is what its reader may take for one PDF, the PDF among it; at most four are read at the same time. Default: 256MiB.
	MaxMemory Size `mapstructure:"max_memory"`
}

const (
	minPDF     = 32 << 20 // of memory: its reader begins with 18 MiB
	maxWorkers = 256
	minSize    = 1 << 10
	maxSize    = 1 << 30
)

func defaultContent() ContentConfig {
	return ContentConfig{Enabled: true, MaxSize: 64 << 20, MaxText: 32 << 20, MaxDepth: 4, MaxEntries: 10_000, MaxRatio: 200,
		MaxXMLDepth: 256, PDF: PDFConfig{MaxPages: 5000, PageTimeout: 10 * time.Second, MaxMemory: 256 << 20}, OCR: defaultOCR(),
		Timeout: time.Minute, Workers: 4}
}

func (c *ContentConfig) validate() error {
	for _, s := range []struct {
		key  string
		size Size
	}{{"max_size", c.MaxSize}, {"max_text", c.MaxText}} {
		if s.size < minSize || s.size > maxSize {
			return fmt.Errorf("%s: %s: want 1KiB to 1GiB", s.key, s.size)
		}
	}
	for _, n := range []struct {
		key   string
		n, to int
	}{{"max_depth", c.MaxDepth, 32}, {"max_entries", c.MaxEntries, 1_000_000}, {"workers", c.Workers, maxWorkers},
		{"max_xml_depth", c.MaxXMLDepth, 10_000}, {"pdf: max_pages", c.PDF.MaxPages, 1_000_000}} {
		if n.n < 1 || n.n > n.to {
			return fmt.Errorf("%s: %d: want 1 to %d", n.key, n.n, n.to)
		}
	}
	if !(c.MaxRatio >= 1 && c.MaxRatio <= 100_000) {
		return fmt.Errorf("max_ratio: %v: want 1 to 100000", c.MaxRatio)
	}
	if c.Timeout < time.Second || c.Timeout > 10*time.Minute {
		return fmt.Errorf("timeout: %v: want 1s to 10m", c.Timeout)
	}
	if c.PDF.PageTimeout < 100*time.Millisecond || c.PDF.PageTimeout > 10*time.Minute {
		return fmt.Errorf("pdf: page_timeout: %v: want 100ms to 10m", c.PDF.PageTimeout)
	}
	if c.PDF.MaxMemory < minPDF || c.PDF.MaxMemory > maxSize {
		return fmt.Errorf("pdf: max_memory: %s: want 32MiB to 1GiB", c.PDF.MaxMemory)
	}
	if err := c.OCR.validate(); err != nil {
		return fmt.Errorf("ocr: %w", err)
	}
	return nil
}

func (c *ContentConfig) limits() extract.Limits {
	l := extract.Limits{Input: int64(c.MaxSize), Text: int64(c.MaxText), Depth: c.MaxDepth, Entries: c.MaxEntries, Ratio: c.MaxRatio,
		XML: c.MaxXMLDepth, Pages: c.PDF.MaxPages, PageTime: c.PDF.PageTimeout, Memory: int64(c.PDF.MaxMemory)}
	if c.OCR.on() { // else pictures are no part of what is read
		l.Images, l.Image = c.OCR.MaxImages, int64(c.OCR.MaxBytes)
	}
	return l
}

// Size is a number of bytes, written as 500KiB, 64MiB or 1GB; all letters mean powers of 1024.
type Size int64

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	n, ok := extract.ParseSize(string(text), maxSize)
	if !ok {
		return fmt.Errorf("%q is no number of bytes up to 1GiB, as 500KiB, 64MiB or 1GiB", text)
	}
	*s = Size(n)
	return nil
}

// MarshalText writes a size as UnmarshalText reads it.
func (s Size) MarshalText() ([]byte, error) {
	if s < 0 {
		return nil, errors.New("a size is negative")
	}
	return []byte(s.String()), nil
}

// String writes a size for people.
func (s Size) String() string {
	for i, unit := range []string{"GiB", "MiB", "KiB"} {
		if shift := 30 - 10*i; s != 0 && s%(1<<shift) == 0 {
			return strconv.FormatInt(int64(s)>>shift, 10) + unit
		}
	}
	return strconv.FormatInt(int64(s), 10)
}
