// Package office365 signs in to the fake of Microsoft 365 with Microsoft's own library and reads what the fake answers with the
// types of Microsoft's own client.
package office365
