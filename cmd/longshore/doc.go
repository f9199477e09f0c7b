// Command longshore is the collector with its components and the commands around it.
//
// `longshore --config FILE` runs pipelines as any OpenTelemetry Collector does; the other commands rehearse (quickstart, sim),
// look before running (apps, check, normalize), and look at or change what runs (query, connector).
//
// It promises the exit codes 0 (done), 1 (failed, or the answer is no) and 2 (called wrongly), results on stdout and
// everything else on stderr. What an application, processor or exporter is it learns from components.go alone, which is
// generated from builder-config.yaml: nothing is registered twice.
package main

//go:generate go tool builder --config ../../builder-config.yaml --skip-compilation --skip-get-modules --output-path ../../_build
//go:generate cp ../../_build/components.go components.go
//go:generate gofmt -w components.go
//go:generate go run . docs --out ../..
