//go:build race

package pacetest

// slower is what the race detector makes of all work.
const slower = 8
