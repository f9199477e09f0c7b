// Package longshore is the root of the module. It holds no code, only the tests of the rules that the whole tree keeps:
// who may import whom, what a provider may not contain, how large a file may grow.
package longshore
