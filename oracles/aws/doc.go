// Package aws holds second opinions on the fake organization and on the receiver that polls it: botocore's models of the services,
// against which every request of the receiver and every answer of the fake is checked; AWS's own clients for Go, which read and govern
// the fake; and moto, a fake that others wrote, which the receiver reads and governs.
package aws
