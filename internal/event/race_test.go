//go:build race

package event

func init() { raceDetector = true }
