//go:build race

package pacetest

// slower is how many times longer work takes with the race detector.
const slower = 8
