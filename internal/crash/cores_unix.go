//go:build unix

package crash

import "syscall"

func forbidCores() {
	// It fails nowhere: a process may always lower its own limit.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}
