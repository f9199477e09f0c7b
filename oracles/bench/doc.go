// Package bench measures the collector as it is used: in a process of its own, between the fake of an application and a
// sink in theirs. The tests run when LONGSHORE_BENCH is set, the long ones when LONGSHORE_LONG is set too, and say what
// they measured; docs/benchmarks.md has figures. What must not get worse unnoticed, allocations, is a benchmark and a test.
package bench
