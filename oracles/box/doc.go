// Package box reads the fake of Box with the vendor's own client, reads a server of the vendor's own examples with our receiver, and
// kills the program while it reads files.
package box
