// Package salesforce holds the fake org of receivers/salesforce against what others wrote: the fields of every object as class files
// of a release have them, and a client of the API that signs in, reads and governs.
package salesforce
