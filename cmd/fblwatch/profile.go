package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
)

// profile writes profiles of this run to the files that FBLWATCH_CPUPROFILE and
// FBLWATCH_MEMPROFILE name. The memory profile counts all allocations of the run. stop
// ends both.
func (p *program) profile() (stop func(), err error) {
	cpu, err := p.profileFile("FBLWATCH_CPUPROFILE")
	if err != nil {
		return nil, err
	}
	memory, err := p.profileFile("FBLWATCH_MEMPROFILE")
	if err != nil {
		return nil, err
	}
	if cpu != nil {
		if err := pprof.StartCPUProfile(cpu); err != nil {
			return nil, fmt.Errorf("FBLWATCH_CPUPROFILE: %w", err)
		}
	}
	return func() {
		if cpu != nil {
			pprof.StopCPUProfile()
			cpu.Close()
		}
		if memory != nil {
			runtime.GC() // so that the profile is of all that was allocated
			pprof.Lookup("allocs").WriteTo(memory, 0)
			memory.Close()
		}
	}, nil
}

// profileFile makes the file that an environment variable names; nil: none.
func (p *program) profileFile(variable string) (*os.File, error) {
	path, _ := p.env(variable)
	if path == "" {
		return nil, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	return file, nil
}
