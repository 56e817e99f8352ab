//go:build !race

package pacetest

const slower = 1
