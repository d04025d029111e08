package cli

import (
	"io"
	"os"
	"runtime/debug"

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
	// Version is that of the program.
	Version string
}

// System are the streams of this process.
func System(version string, signals <-chan os.Signal) Streams {
	s := Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv, Signals: signals, Version: version,
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
		s.Version = builtVersion()
	}
	return s
}

// builtVersion is what the Go toolchain knows of this build, for `go install`.
func builtVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "dev"
	}
	return info.Main.Version
}
