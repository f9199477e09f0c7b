package main

import "github.com/spf13/cobra"

func newQuery(p *program) *cobra.Command {
	return &cobra.Command{Use: "query", RunE: func(*cobra.Command, []string) error { return nil }}
}
