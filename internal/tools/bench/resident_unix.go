//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// maxResident returns a process's maximum resident memory, in bytes. On Linux a process inherits its parent's value,
// so bench itself stays small.
func maxResident(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) * 1024 //nolint:unconvert // 32 bits elsewhere
}
