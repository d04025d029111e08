// Package crash ends the process when a goroutine panics, with exit code 1 and a request to report it. The
// runtime's own exit code for a panic is 2, which in this program means that there are changes or findings.
//
// No other goroutine can take a panic over, and one that only ended would leave others waiting for it for ever.
// So each goroutine ends the process itself: every function that is handed to go, [sync.WaitGroup.Go],
// [golang.org/x/sync/errgroup.Group.Go] or an AfterFunc, and every callback that a library runs in a goroutine of
// its own, begins with
//
//	defer crash.ExitOnPanic()
//
// which a test of the layout holds. What cannot be recovered (concurrent map writes, a stack without end, no
// memory) and a panic in a library's own code end with SIGABRT instead, see [Prepare]: no code of the table, so a
// failure to every script.
//
// To read it: crash.go, cores_unix.go, cores_other.go.
package crash

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"unicode"
)

// exitCode is that of an error.
const exitCode = 1

// Prepare makes what [ExitOnPanic] cannot see end the process by SIGABRT (exit code 134 in a shell) rather than with
// the code 2. It is called once, by main. No core is written: it would hold access tokens.
func Prepare() {
	forbidCores()
	debug.SetTraceback("crash")
}

// ExitOnPanic ends the process when the function that deferred it panics. It must be deferred itself.
func ExitOnPanic() {
	if p := recover(); p != nil {
		Exit(p)
	}
}

// Exit writes to stderr that p was recovered, with the stack of this goroutine, and ends the process with code 1. It
// does not return.
func Exit(p any) {
	text := fmt.Appendf(nil, "error: internal: %s\nhint: this is a fault of azbackup: please report it, with what follows\n%s",
		printable(fmt.Sprint(p)), debug.Stack())
	end := func(fd uintptr) bool {
		_, _ = os.NewFile(fd, "stderr").Write(text)
		os.Exit(exitCode) //nolint:forbidigo // nothing may run after a panic
		return true
	}
	// Progress bars redraw the lines above the cursor several times a second. The holder of the file's lock is alone
	// on it: the report is not drawn over, however long it takes to write.
	if conn, err := os.Stderr.SyscallConn(); err == nil {
		_ = conn.Write(end) // it fails only where stderr is closed
	}
	os.Exit(exitCode) //nolint:forbidigo // as above
}

// printable returns a text, which may come from anywhere, without characters that control the terminal.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}
