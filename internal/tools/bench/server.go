package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator"
)

// server is `azbackup simulate` in a process of its own.
type server struct {
	cmd         *exec.Cmd
	ended       chan error
	estate, url string
	stderr      bytes.Buffer
}

const (
	loading  = 10 * time.Minute // an estate of a million machines is 5 GB
	stopping = time.Minute
)

// serve starts a server and waits until it accepts requests.
func (l *lab) serve(ctx context.Context, estate string, settings simulator.Settings) (*server, error) {
	dir, err := os.MkdirTemp(l.runs, "server-")
	if err != nil {
		return nil, err
	}
	file, urlFile := filepath.Join(dir, "settings.json"), filepath.Join(dir, "url")
	raw, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		return nil, err
	}
	s := &server{estate: estate, ended: make(chan error, 1)}
	s.cmd = exec.CommandContext(ctx, l.azbackup, "simulate", "--estate", estate, "--settings", file, "--url-file", urlFile, "--quiet")
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	s.cmd.WaitDelay = stopping
	s.cmd.Env, s.cmd.Stderr = l.environment(dir), &s.stderr
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a simulated Azure: %w", err)
	}
	go func() { s.ended <- s.cmd.Wait() }()
	ctx, cancel := context.WithTimeoutCause(ctx, loading, errors.New("it took too long to load"))
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		if url, err := os.ReadFile(urlFile); err == nil && len(url) > 0 {
			s.url = strings.TrimSpace(string(url))
			return s, nil
		}
		select {
		case err := <-s.ended:
			return nil, fmt.Errorf("the simulated Azure ended: %w\n%s", err, s.stderr.String())
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("starting a simulated Azure: %w", context.Cause(ctx)), s.stop())
		case <-look.C:
		}
	}
}

// stop ends the server as Ctrl-C does. Its output while it ends is ignored.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping the simulated Azure: %w", err)
	}
	timer := time.NewTimer(stopping)
	defer timer.Stop()
	select {
	case <-s.ended: //nolint:errcheck // why it ended matters to nobody: it was told to
		return nil
	case <-timer.C:
		return errors.Join(errors.New("the simulated Azure did not end when it was interrupted"), s.cmd.Process.Kill())
	}
}

// stats returns the counts of the clients' requests so far.
func (s *server) stats(ctx context.Context) (simulator.Stats, error) {
	var stats simulator.Stats
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/_simulator/stats", nil)
	if err != nil {
		return stats, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return stats, fmt.Errorf("asking the simulated Azure what it was asked: %w", err)
	}
	defer resp.Body.Close()
	return stats, json.NewDecoder(resp.Body).Decode(&stats)
}
