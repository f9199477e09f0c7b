// Package okta holds second opinions on the fake org and on the receiver that polls it: the vendor's own Go client and a
// collector that others wrote read the fake, and must find what it published and what the receiver delivers.
package okta
