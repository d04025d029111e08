// Command mutants breaks a package of the project one operator at a time and reports the breaks that the package's own
// tests do not detect. A surviving break means a missing test or dead code.
//
//	mutants -sample 400 plan apply internal/audit internal/azure internal/azure/arm internal/azure/wire
//
// The sample is fixed: a mutant is drawn by the hash of its position (file, function, operator, number of its kind
// before it there), so that a change elsewhere draws the same mutants again. A mutant that does not compile is not
// counted, and the next one is drawn for it; what no behavior can tell apart is not drawn (equivalents). The files on
// disk are not touched: the break is in go's -overlay.
//
// Most mutants of a room share a binary in which the environment switches them on; the few that cannot (constants) are
// built one by one. A mutant then costs the run of the tests that execute the broken place, which the tool learns once
// for each state of a room by running each test under coverage. This and the results are kept in the folder of
// temporary files, and an interrupted run goes on where it was.
//
// Rejected: tools that copy the module for each mutant or run the tests of all packages, which takes hours here.
//
// # Reading order
//
//	the command, and what can be broken        main.go, find.go, equivalent.go
//	how a break is tried, and what came of it  coverage.go, switch.go, try.go, results.go
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

type options struct {
	sample  int
	floor   float64
	workers int
	match   *regexp.Regexp
	tests   *regexp.Regexp
	list    bool
	rooms   []string
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("mutants", flag.ContinueOnError)
	f.IntVar(&o.sample, "sample", 400, "how many mutants are tried; 0 = all")
	f.Float64Var(&o.floor, "floor", 0.95, "the share that must be caught")
	f.IntVar(&o.workers, "workers", runtime.NumCPU(), "how many mutants are tried at a time")
	pattern := f.String("match", "", "only mutants whose line of output matches this `REGEXP`")
	tests := f.String("run", "", "run only the tests that match this `REGEXP`: what a new test catches")
	f.BoolVar(&o.list, "list", false, "list the sample and try nothing")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.rooms = f.Args()
	if len(o.rooms) == 0 {
		return o, errors.New("usage: mutants [flags] FOLDER…")
	}
	var err error
	if o.match, err = regexp.Compile(*pattern); err != nil {
		return o, err
	}
	o.tests, err = regexp.Compile(*tests)
	return o, err
}

func run(ctx context.Context, out io.Writer, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	var all []mutant
	for _, room := range o.rooms {
		found, err := findRoom(room)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	sortByDraw(all)
	all = slices.DeleteFunc(all, func(m mutant) bool { return !o.match.MatchString(m.String()) })
	if o.sample == 0 {
		o.sample = len(all)
	}
	if o.list {
		for _, m := range all[:min(o.sample, len(all))] {
			fmt.Fprintln(out, m)
		}
		return nil
	}
	t, err := newTrial(ctx, o)
	if err != nil {
		return err
	}
	results, err := t.all(ctx, out, all)
	return errors.Join(err, reportScore(out, o, results))
}

// trial is a run of the tool.
type trial struct {
	options
	open  map[string]*room
	known map[string]verdict // of earlier runs
}

func newTrial(ctx context.Context, o options) (*trial, error) {
	t := &trial{options: o, open: map[string]*room{}, known: map[string]verdict{}}
	for _, path := range o.rooms {
		r, err := openRoom(ctx, path)
		if err != nil {
			return nil, err
		}
		t.open[path] = r
		if o.tests.String() != "" {
			continue
		}
		known, err := r.readResults()
		if err != nil {
			return nil, err
		}
		maps.Copy(t.known, known)
	}
	return t, nil
}

// mutantResult is a mutant's result.
type mutantResult struct {
	mutant
	isCaught bool
}

// all tries mutants in order until the wanted number compiled. It prints surviving mutants as they are found.
func (t *trial) all(ctx context.Context, out io.Writer, all []mutant) ([]mutantResult, error) {
	var results []mutantResult
	for len(all) > 0 && len(results) < t.sample {
		batch := all[:min(len(all), t.sample-len(results))]
		all = all[len(batch):]
		tried, err := t.batch(ctx, out, batch)
		results = append(results, tried...)
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

// batch tries mutants in parallel and returns, in their order, the results of those that compile.
func (t *trial) batch(ctx context.Context, out io.Writer, batch []mutant) ([]mutantResult, error) {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover is harmless
	numbers, err := t.build(ctx, dir, batch)
	if err != nil {
		return nil, err
	}
	out = &lockedWriter{w: out}
	verdicts := make([]verdict, len(batch))
	var group errgroup.Group
	group.SetLimit(t.workers)
	for i, m := range batch {
		group.Go(func() (err error) {
			verdicts[i], err = t.one(ctx, m, numbers[m.key()])
			if err == nil && verdicts[i] == survived {
				fmt.Fprintln(out, "survived", m)
			}
			return err
		})
	}
	err = group.Wait()
	var results []mutantResult
	for i, v := range verdicts {
		if v == caught || v == survived {
			results = append(results, mutantResult{batch[i], v == caught})
		}
	}
	return results, err
}

// build builds the binaries of the rooms and returns the numbers that the mutants have in them.
func (t *trial) build(ctx context.Context, dir string, batch []mutant) (numbers map[string]int, err error) {
	numbers = map[string]int{}
	for path, r := range t.open {
		var unknown []mutant
		for _, m := range batch {
			if _, has := t.known[m.key()]; m.room == path && !has {
				unknown = append(unknown, m)
			}
		}
		own, err := os.MkdirTemp(dir, "")
		if err != nil {
			return nil, err
		}
		r.binary = filepath.Join(own, "test")
		in, not, err := r.buildSwitched(ctx, own, unknown)
		if err != nil {
			return nil, err
		}
		maps.Copy(numbers, in)
		for _, m := range not {
			t.known[m.key()] = doesNotBuild
		}
	}
	return numbers, nil
}

func (t *trial) one(ctx context.Context, m mutant, number int) (verdict, error) {
	if v, has := t.known[m.key()]; has {
		return v, nil
	}
	r := t.open[m.room]
	v, err := r.try(ctx, m, t.tests, number)
	if err != nil {
		return "", err
	}
	if t.tests.String() != "" {
		return v, nil
	}
	return v, r.keepResult(m, v)
}

// lockedWriter is a writer for several goroutines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// reportScore prints the share of each package's mutants that was caught, and fails if the overall share is below the
// floor.
func reportScore(out io.Writer, o options, results []mutantResult) error {
	if len(results) == 0 {
		return errors.New("no mutant was tried")
	}
	caught, tried := map[string]int{}, map[string]int{}
	all := 0
	for _, v := range results {
		tried[v.room]++
		if v.isCaught {
			caught[v.room]++
			all++
		}
	}
	for _, room := range o.rooms {
		fmt.Fprintf(out, "%-20s %3d of %3d caught\n", room, caught[room], tried[room])
	}
	share := float64(all) / float64(len(results))
	fmt.Fprintf(out, "%-20s %3d of %3d caught, %.1f %%\n", "all", all, len(results), 100*share)
	if share < o.floor {
		return fmt.Errorf("%.1f %% of the mutants were caught, the floor is %.1f %%", 100*share, 100*o.floor)
	}
	return nil
}
