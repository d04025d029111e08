// Command resident runs a command and writes to a file the most memory that it had resident, in bytes; 0 where this system
// does not tell. It ends as the command does.
//
//	resident FILE COMMAND ARGUMENT…
//
// A process begins in the memory of the one that starts it, and Linux counts that for its peak too. What starts the command
// here is this small program, and not one that holds what it measures.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
)

func main() {
	code, err := resident(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "resident:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func resident(args []string) (code int, err error) {
	if len(args) < 2 {
		return 0, errors.New("usage: resident FILE COMMAND ARGUMENT…")
	}
	runtime.LockOSThread()                                                 // the command ends with the thread that started it
	cmd := exec.CommandContext(context.Background(), args[1], args[2:]...) // who starts this ends it
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = os.Stdin, os.Stdout, os.Stderr, endsWithParent()
	if err := cmd.Run(); cmd.ProcessState == nil {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), os.WriteFile(args[0], []byte(strconv.FormatInt(maxResident(cmd.ProcessState), 10)), 0o600)
}
