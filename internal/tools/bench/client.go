package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/azbackup/azbackup/internal/tools/costs"
)

// ran is the cost and output of one run of azbackup.
type ran struct {
	seconds, megabytes  float64 // process start to exit; the most that was resident, 0 = not known
	cpu                 float64 // CPU seconds, which a busy machine does not lengthen
	requests, throttled int
	dir                 string // its folder: stdout, and the output files
	stdout              string // a file
	bytes               int64  // its size
	stderr              string
	code                int
}

// azbackupOn runs azbackup against a server, with a new home and an empty cache. Any exit code but those in ok is an
// error.
func (l *lab) azbackupOn(ctx context.Context, s *server, ok []int, args ...string) (r ran, err error) {
	r.dir, err = os.MkdirTemp(l.runs, "client-")
	if err != nil {
		return r, err
	}
	r.stdout = filepath.Join(r.dir, "stdout")
	out, err := os.Create(r.stdout)
	if err != nil {
		return r, err
	}
	defer out.Close()
	if s != nil {
		args = append(args, "--endpoint", s.url)
	}
	before := [2]int{}
	if s != nil {
		stats, err := s.stats(ctx)
		if err != nil {
			return r, err
		}
		before = [2]int{stats.Total(), stats.Throttled()}
	}
	var stderr bytes.Buffer
	peak := filepath.Join(r.dir, "peak")
	cmd := exec.CommandContext(ctx, l.resident, append([]string{peak, l.azbackup}, args...)...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = r.dir, l.environment(r.dir), out, &stderr
	began := time.Now()
	err = cmd.Run()
	r.seconds = time.Since(began).Seconds()
	r.stderr = stderr.String()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return r, err
	}
	if r.code = cmd.ProcessState.ExitCode(); !slices.Contains(ok, r.code) {
		return r, fmt.Errorf("azbackup %q ended with %d, expected one of %v:\n%.2000s", args, r.code, ok, r.stderr)
	}
	r.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if r.megabytes, err = megabytesIn(peak); err != nil {
		return r, err
	}
	info, err := out.Stat()
	if err != nil {
		return r, err
	}
	r.bytes = info.Size()
	if s != nil {
		stats, err := s.stats(ctx)
		if err != nil {
			return r, err
		}
		r.requests, r.throttled = stats.Total()-before[0], stats.Throttled()-before[1]
	}
	return r, nil
}

// megabytesIn returns what command resident wrote: 0 = this system does not tell.
func megabytesIn(peak string) (float64, error) {
	raw, err := os.ReadFile(peak)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return float64(n) / 1e6, err
}

// environment returns every process's environment: no variables of the user, and the same number of processors.
func (l *lab) environment(home string) []string {
	return append(os.Environ(), "HOME="+home, "XDG_CACHE_HOME="+home, "NO_COLOR=1", "AZBACKUP_ACCESS_TOKEN="+token(), "GOMAXPROCS="+strconv.Itoa(l.cores))
}

// token returns a bearer token with the tenant of the estates, which no real service accepts.
func token() string {
	part := func(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }
	return part(`{"alg":"none"}`) + "." + part(`{"tid":"`+costs.Tenant+`","oid":"33333333-3333-3333-3333-333333333333","appid":"bench"}`) + ".x"
}
