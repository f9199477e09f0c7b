// Command fuzz runs the fuzz targets of the repository, which it finds by itself: those below a folder, each for a while, some at a time,
// each with one worker.
//
//	go run ./fuzz                       those of internal/dlp, 10 s each, or 10 minutes each where LONGSHORE_LONG is set
//	go run ./fuzz -under . -time 1m     all, a minute each
//	go run ./fuzz -only 'PDF|Zip'       those whose names match
//
// It says of each how many inputs were tried and fails when a target failed or tried too few. The time begins when the inputs that are
// committed have been tried: what a target makes ready before does not count. The input that makes a target fail is written to testdata
// of its package, as `go test -fuzz` does it, and its place is told. Nothing else is written into the repository.
// New inputs that reach further are kept for the next run in a folder of the user's cache when LONGSHORE_LONG is set.
package main
