package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/azbackup/azbackup/internal/simulator"
)

// run is one measurement of a row.
type run func(context.Context, *lab) (measured, error)

// lab is where rows are measured: the binaries, a folder, and the server that reading rows of one estate share.
type lab struct {
	dir, runs           string // estates and binaries; what a run leaves, until the next
	azbackup, estategen string
	cores               int
	progress            io.Writer
	shared              *server
	virtual             []virtualRun // what internal/simtest recorded; nil until a row asks
}

func newLab(ctx context.Context, dir string, cores int, progress io.Writer) (*lab, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	l := &lab{dir: dir, runs: filepath.Join(dir, "runs"), azbackup: filepath.Join(dir, "azbackup"), estategen: filepath.Join(dir, "estategen"), cores: cores, progress: progress}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for binary, from := range map[string]string{l.azbackup: "cmd/azbackup", l.estategen: "internal/tools/estategen"} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "github.com/azbackup/azbackup/"+from)
		cmd.Stdout, cmd.Stderr = progress, progress
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("building %s: %w", from, err)
		}
	}
	return l, nil
}

func (l *lab) close() error {
	s := l.shared
	if l.shared = nil; s == nil {
		return nil
	}
	return s.stop()
}

// measure runs a row, several times where it may be, and takes the middle.
func (l *lab) measure(ctx context.Context, r row, times int) (measured, error) {
	if r.once {
		times = 1
	}
	var runs []measured
	for range max(times, 1) {
		if err := errors.Join(os.RemoveAll(l.runs), os.MkdirAll(l.runs, 0o755)); err != nil {
			return measured{}, err
		}
		m, err := r.run(ctx, l)
		if err != nil {
			return measured{}, err
		}
		runs = append(runs, m)
	}
	m := middle(runs)
	m.Commit = commitDate(ctx)
	return m, nil
}

// fleet is a big estate, as estategen makes them.
type fleet struct {
	vms, vaults, subscriptions int
	crowded                    bool
}

// make writes the fleet's estate and config, unless this estategen has written them before.
func (f fleet) make(ctx context.Context, l *lab) (estate, config string, err error) {
	generator, err := os.ReadFile(l.estategen)
	if err != nil {
		return "", "", err
	}
	args := []string{"-vms", strconv.Itoa(f.vms), "-vaults", strconv.Itoa(f.vaults), "-subscriptions", strconv.Itoa(f.subscriptions)}
	if f.crowded {
		args = append(args, "-crowded")
	}
	sum := sha256.Sum256(append(generator, strings.Join(args, " ")...))
	base := filepath.Join(l.dir, fmt.Sprintf("fleet-%d-%d-%s", f.vms, f.vaults, hex.EncodeToString(sum[:4])))
	estate, config = base+".json", base+".yaml"
	if _, err := os.Stat(estate); err == nil {
		return estate, config, nil
	}
	out, err := os.Create(estate + ".part")
	if err != nil {
		return "", "", err
	}
	cmd := exec.CommandContext(ctx, l.estategen, append(args, "-config", config)...)
	cmd.Stdout, cmd.Stderr = out, l.progress
	if err := errors.Join(cmd.Run(), out.Close()); err != nil {
		return "", "", fmt.Errorf("making an estate of %d machines: %w", f.vms, err)
	}
	return estate, config, os.Rename(out.Name(), estate)
}

// reads serves an estate that nobody writes to. Rows that follow each other share the server.
func (l *lab) reads(ctx context.Context, estate string) (*server, error) {
	if l.shared != nil && l.shared.estate == estate {
		return l.shared, nil
	}
	if err := l.close(); err != nil {
		return nil, err
	}
	s, err := l.serve(ctx, estate, simulator.Settings{})
	l.shared = s
	return s, err
}
