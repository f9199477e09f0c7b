// Package analysts tells the story of an attack on a company that uses Okta and Box, lets the collector read it as it would read the
// real ones, and asks what the collector stored each question of docs/analysts.
package analysts
