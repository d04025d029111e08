// Command azbackup keeps Azure VM backup the way one YAML file says.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/azbackup/azbackup/internal/cli"
	"github.com/azbackup/azbackup/internal/crash"
)

var version string // set by the linker

func main() {
	crash.Prepare()
	defer crash.ExitOnPanic()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(cli.Main(context.Background(), os.Args[1:], cli.System(version, signals)))
}
