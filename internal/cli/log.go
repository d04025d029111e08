package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/fatih/color"

	"github.com/azbackup/azbackup/config"
)

// Keys of log records that the handler for people shows; all others are for programs.
const (
	hintKey    = "hint"
	problemKey = "problem"
)

// The values of --log-format.
const (
	logText = "text"
	logJSON = "json"
)

func hintArgs(hints []string) []any {
	var args []any
	for _, h := range hints {
		args = append(args, hintKey, h)
	}
	return args
}

// stderr is the writer of everything but results. While progress bars are drawn it writes to theirs, which puts lines
// above them. It is safe for concurrent use.
type stderr struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *stderr) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return writeAll(s.w, p)
}

// redirect replaces the writer, and returns a function that runs end and then restores it. Writes wait while end runs.
func (s *stderr) redirect(w io.Writer) (giveBack func(end func())) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.w
	s.w = w
	return func(end func()) {
		s.mu.Lock()
		defer s.mu.Unlock()
		end()
		s.w = before
	}
}

// newLogger returns the logger of a run: lines for people, or JSON for programs.
func newLogger(w io.Writer, format string, verbose, colour bool) (*slog.Logger, error) {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	switch format {
	case logText:
		return slog.New(&peopleHandler{w: w, level: level, mu: &sync.Mutex{}, colour: colour}), nil
	case logJSON:
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), nil
	default:
		return nil, usageError("--log-format %q is neither text nor json", format)
	}
}

// peopleHandler writes "error: …", "warning: …", "hint: …" and plain lines. Attributes repeat the message for programs,
// so all but hints are left out.
type peopleHandler struct {
	w      io.Writer
	level  slog.Level
	colour bool
	mu     *sync.Mutex
	attrs  []slog.Attr
}

// Enabled implements [slog.Handler].
func (h *peopleHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// Handle implements [slog.Handler].
func (h *peopleHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	text := r.Message
	var hints []string
	read := func(a slog.Attr) bool {
		switch a.Key {
		case hintKey:
			hints = append(hints, a.Value.String())
		case problemKey:
			if p, ok := a.Value.Any().(config.Problem); ok {
				text = p.String()
				r.Level = slog.LevelInfo // the text has its own "warning:"
			}
		}
		return true
	}
	for _, a := range h.attrs {
		read(a)
	}
	r.Attrs(read)
	switch {
	case r.Level >= slog.LevelError:
		b.WriteString(h.paint(color.FgRed, "error:") + " ")
	case r.Level >= slog.LevelWarn:
		b.WriteString(h.paint(color.FgYellow, "warning:") + " ")
	}
	b.WriteString(text + "\n")
	for _, hint := range hints {
		fmt.Fprintf(&b, "%s %s\n", h.paint(color.FgCyan, "hint:"), hint)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

func (h *peopleHandler) paint(c color.Attribute, s string) string {
	if !h.colour {
		return s
	}
	p := color.New(c)
	p.EnableColor()
	return p.Sprint(s)
}

// WithAttrs implements [slog.Handler].
func (h *peopleHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = append(append([]slog.Attr{}, h.attrs...), attrs...)
	return &with
}

// WithGroup implements [slog.Handler]; groups mean nothing to people.
func (h *peopleHandler) WithGroup(string) slog.Handler { return h }
