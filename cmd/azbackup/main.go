// Command azbackup keeps Azure VM backup as one YAML file defines it.
package main

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/azbackup/azbackup/internal/cli"
	"github.com/azbackup/azbackup/internal/crash"
)

var version string // set by the linker

// collectAt is how much the heap may grow, in percent, before a collection; the variable GOGC overrides it. Nearly all
// data read of an estate is kept to the end of a run. Measured over 100,000 VMs at 40, 30 and 25, a plan peaks at 294,
// 260 and 267 MB and takes 14.2, 15.8 and 15.7 s of a busy machine's processors.
const collectAt = 30

func main() {
	crash.Prepare()
	defer crash.ExitOnPanic()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.System(version)))
}
