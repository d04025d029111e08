package cli

import (
	"context"
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

	"github.com/azbackup/azbackup/internal/crash"
)

// Streams hold the whole environment of a command except files. Tests pass their own.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Env looks up an environment variable.
	Env func(name string) (string, bool)
	// InTerminal, OutTerminal and ErrTerminal report whether the stream is a terminal.
	InTerminal, OutTerminal, ErrTerminal bool
	// Width is the number of columns of the terminal; 0 where there is none.
	Width int
	// Signals delivers what ends a command early ([interruptSignals]); nil = no interrupts.
	Signals <-chan os.Signal
	// Now is the machine's clock; the package reads it nowhere else. Times that Azure reports are compared with Azure's
	// clock ([azure.Client.Now]).
	Now func() time.Time
	// Version is the program's version.
	Version string
}

// System returns the streams of this process. It makes the process ignore SIGPIPE, so that a reader of stdout that stops
// early does not end it ([resultWriter]).
func System(version string) Streams {
	signal.Ignore(syscall.SIGPIPE)
	s := Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv, Signals: interruptSignals(), Version: version, Now: time.Now,
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

// stdin is the input of a command, whose reads end with the context: a terminal may wait for its operator for ever.
type stdin struct {
	ctx context.Context //nolint:containedctx // of the command
	r   io.Reader
}

// Read implements [io.Reader].
func (s *stdin) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	own := make([]byte, len(p)) // a read that is left may still end
	read := make(chan result, 1)
	go func() {
		defer crash.ExitOnPanic()
		n, err := s.r.Read(own)
		read <- result{n, err}
	}()
	select {
	case r := <-read:
		return copy(p, own[:r.n]), r.err
	case <-s.ctx.Done():
		return 0, context.Cause(s.ctx)
	}
}

// resultWriter is the stdout of a command. A write to it never fails, so that the command continues to its files; the
// first error is kept, and reported once when the command has ended. It is safe for concurrent use.
type resultWriter struct {
	w          io.Writer
	isTerminal bool

	mu       sync.Mutex
	firstErr error // of the first failed write; later ones are discarded
}

// Write implements [io.Writer].
func (o *resultWriter) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.firstErr == nil {
		_, o.firstErr = writeAll(o.w, p)
	}
	return len(p), nil
}

// fullPause is how long a write waits where a stream is full.
const fullPause = 10 * time.Millisecond

// writeAll writes p to a stream, and waits where it takes nothing for the moment: any process that shares a pipe or a terminal,
// such as one that a CI job runs beside this one, may make it return EAGAIN in place of waiting by itself.
func writeAll(w io.Writer, p []byte) (n int, err error) {
	for {
		k, err := w.Write(p[n:])
		n += max(k, 0)
		if !errors.Is(err, syscall.EAGAIN) {
			return n, err
		}
		<-time.After(fullPause)
	}
}

// writeError returns why the result did not reach stdout, or nil. A reader that stopped early (azbackup … | head, or a
// terminal that was closed) is no failure: the exit code is that of the result.
func (o *resultWriter) writeError() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.firstErr == nil || errors.Is(o.firstErr, syscall.EPIPE) || o.isTerminal && errors.Is(o.firstErr, syscall.EIO) {
		return nil
	}
	return fmt.Errorf("writing to stdout: %w", o.firstErr)
}

// moduleVersion returns the version in the build information, for `go install`.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}
