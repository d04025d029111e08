package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"
)

// Streams are all that a command sees of the world around it, files apart.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Env looks up an environment variable.
	Env func(name string) (string, bool)
	// InTerminal, OutTerminal and ErrTerminal say that a person sits there.
	InTerminal, OutTerminal, ErrTerminal bool
	// Width is the number of columns of the terminal; 0 where there is none.
	Width int
	// Signals brings Ctrl-C and SIGTERM; nil = nobody interrupts.
	Signals <-chan os.Signal
	// Now is the machine's clock, which nothing else of the program asks. What Azure dates is counted by Azure's own
	// ([azure.Client.Now]).
	Now func() time.Time
	// Version is that of the program.
	Version string
}

// System are the streams of this process. A reader of stdout that leaves no longer ends it: see output.
func System(version string, signals <-chan os.Signal) Streams {
	signal.Ignore(syscall.SIGPIPE)
	s := Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv, Signals: signals, Version: version, Now: time.Now,
		InTerminal:  term.IsTerminal(int(os.Stdin.Fd())),
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && s.Width == 0 {
			s.Width = width
		}
	}
	if s.Version == "" {
		s.Version = moduleVersion()
	}
	return s
}

// resultWriter is the stdout of a command. A write to it never fails, so that whatever happens there the command goes on to
// its files; what went wrong is kept, and said once when the command has ended. It is safe for concurrent use.
type resultWriter struct {
	w io.Writer

	mu       sync.Mutex
	firstErr error // of the first write that failed; nothing is written after it
}

// Write implements [io.Writer].
func (o *resultWriter) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.firstErr == nil {
		_, o.firstErr = o.w.Write(p)
	}
	return len(p), nil
}

// writeError is why the result did not reach stdout, or nil. A reader that had enough (azbackup … | head) is no failure:
// the exit code is that of the result.
func (o *resultWriter) writeError() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.firstErr == nil || errors.Is(o.firstErr, syscall.EPIPE) {
		return nil
	}
	return fmt.Errorf("writing to stdout: %w", o.firstErr)
}

// moduleVersion is what the Go toolchain knows of this build, for `go install`.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}
