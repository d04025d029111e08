// Command azbackup keeps Azure VM backup the way one YAML file says.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/azbackup/azbackup/internal/cli"
)

var version string // set by the linker

func main() { os.Exit(run()) }

// run turns a panic into exit code 1: the runtime's own would be 2, which means something else here.
func run() (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "error: internal: %v\n%s", p, debug.Stack())
			code = 1
		}
	}()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return cli.Main(context.Background(), os.Args[1:], cli.System(version, signals))
}
