package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commandsPage is what the commands say of themselves.
func (p *program) commandsPage() string {
	var began bool
	root := newRoot(p, &began)
	var b strings.Builder
	b.WriteString("<!-- Written by `go generate ./cmd/longshore` from the commands' own help; change it there. -->\n# Commands\n\n" +
		"Results are on stdout, everything else is on stderr. Exit codes: 0 done; 1 failed, or the answer is no; 2 called wrongly.\n\n" +
		"## longshore --config FILE\n\n" + root.Long + "\n\n")
	writeFlags(&b, root)
	for _, c := range root.Commands() {
		if c.Name() != "help" && !c.Hidden {
			writeCommand(&b, c, "##")
		}
	}
	return b.String()
}

// writeCommand writes what a command says, and those below it that say more than a line.
func writeCommand(b *strings.Builder, c *cobra.Command, level string) {
	fmt.Fprintf(b, "%s %s\n\n", level, strings.TrimSuffix(c.UseLine(), " [flags]"))
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	writeText(b, text)
	writeFlags(b, c)
	if c.Example != "" {
		fmt.Fprintf(b, "```console\n%s\n```\n\n", strings.ReplaceAll(strings.Trim(c.Example, "\n"), "  longshore", "$ longshore"))
	}
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			fmt.Fprintf(b, "- `%s`: %s\n", strings.TrimSuffix(sub.UseLine(), " [flags]"), sub.Short)
		}
	}
	if c.HasAvailableSubCommands() {
		b.WriteString("\n")
	}
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Long != "" {
			writeCommand(b, sub, level+"#")
		}
	}
}

// writeText writes help text: lines that are indented in it are examples.
func writeText(b *strings.Builder, text string) {
	fenced := false
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		if example := strings.HasPrefix(line, "  "); example != fenced {
			b.WriteString("```\n")
			fenced = example
		}
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	if fenced {
		b.WriteString("```\n")
	}
	b.WriteString("\n")
}

func writeFlags(b *strings.Builder, c *cobra.Command) {
	var lines []string
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		line := "| `" + strings.TrimSpace("--"+f.Name+" "+name) + "` | "
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" && f.DefValue != "0" && f.DefValue != "0s" {
			line += "`" + f.DefValue + "`"
		}
		lines = append(lines, line+" | "+cell(usage)+" |\n")
	})
	if len(lines) > 0 {
		b.WriteString("| flag | default | |\n| --- | --- | --- |\n" + strings.Join(lines, "") + "\n")
	}
}
