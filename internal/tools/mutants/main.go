// Command mutants breaks a package of the project one operator at a time and reports the breaks that the package's own
// tests do not detect. A surviving break means a missing test or dead code.
//
//	mutants -sample 400 plan apply internal/audit internal/azure
//
// The sample is fixed: a mutant is drawn by the hash of its position (file, function, operator, number of its kind
// before it there), so that a change elsewhere draws the same mutants again. A mutant that does not compile is not
// counted, and the next one is drawn for it. The files on disk are not touched: the break is in go's -overlay.
//
// Rejected: tools that copy the module for each mutant or run the tests of all packages, which takes hours here; and
// one binary with all mutants behind a switch, which cannot hold mutants of constants and changes the compiler's
// input.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"time"

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
	timeout time.Duration
	workers int
	match   *regexp.Regexp
	tests   string
	list    bool
	rooms   []string
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("mutants", flag.ContinueOnError)
	f.IntVar(&o.sample, "sample", 400, "how many mutants are tried; 0 = all")
	f.Float64Var(&o.floor, "floor", 0.95, "the share that must be caught")
	f.DurationVar(&o.timeout, "timeout", 2*time.Minute, "how long a room's tests may take; a mutant that takes longer is caught")
	f.IntVar(&o.workers, "workers", runtime.NumCPU(), "how many mutants are tried at a time")
	pattern := f.String("match", "", "only mutants whose line of output matches this `REGEXP`")
	f.StringVar(&o.tests, "run", "", "run only the tests that match this `REGEXP`: what a new test catches")
	f.BoolVar(&o.list, "list", false, "list the sample and try nothing")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.rooms = f.Args()
	if len(o.rooms) == 0 {
		return o, errors.New("usage: mutants [flags] FOLDER…")
	}
	var err error
	o.match, err = regexp.Compile(*pattern)
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
	for _, room := range o.rooms {
		switch why, failed, err := testRoom(ctx, o, room, nil); {
		case err != nil:
			return err
		case failed:
			return fmt.Errorf("the tests of %s fail as they are:\n%s", room, why)
		}
	}
	verdicts, err := tryAll(ctx, out, o, all)
	return errors.Join(err, reportScore(out, o, verdicts))
}

// mutantResult is a mutant's result.
type mutantResult struct {
	mutant
	isCaught bool
}

// tryAll tries mutants in order until the wanted number compiled. It prints surviving mutants as they are found.
func tryAll(ctx context.Context, out io.Writer, o options, all []mutant) ([]mutantResult, error) {
	var verdicts []mutantResult
	for len(all) > 0 && len(verdicts) < o.sample {
		batch := all[:min(len(all), o.sample-len(verdicts), 10*o.workers)]
		all = all[len(batch):]
		tried, err := tryBatch(ctx, o, batch)
		for _, v := range tried {
			verdicts = append(verdicts, v)
			if !v.isCaught {
				fmt.Fprintln(out, "lives ", v)
			}
		}
		if err != nil {
			return verdicts, err
		}
	}
	return verdicts, nil
}

// tryBatch tries mutants in parallel and returns, in their order, the results of those that compile.
func tryBatch(ctx context.Context, o options, batch []mutant) ([]mutantResult, error) {
	results := make([]*mutantResult, len(batch))
	var group errgroup.Group
	group.SetLimit(o.workers)
	for i, m := range batch {
		group.Go(func() error {
			output, caught, err := testRoom(ctx, o, m.room, &m)
			if err == nil && (!caught || !doesNotCompile(output)) {
				results[i] = &mutantResult{m, caught}
			}
			return err
		})
	}
	err := group.Wait()
	var out []mutantResult
	for _, v := range results {
		if v != nil {
			out = append(out, *v)
		}
	}
	return out, err
}

// reportScore prints the share of each package's mutants that was caught, and fails if the overall share is below the
// floor.
func reportScore(out io.Writer, o options, verdicts []mutantResult) error {
	if len(verdicts) == 0 {
		return errors.New("no mutant was tried")
	}
	caught, tried := map[string]int{}, map[string]int{}
	all := 0
	for _, v := range verdicts {
		tried[v.room]++
		if v.isCaught {
			caught[v.room]++
			all++
		}
	}
	for _, room := range o.rooms {
		fmt.Fprintf(out, "%-20s %3d of %3d caught\n", room, caught[room], tried[room])
	}
	share := float64(all) / float64(len(verdicts))
	fmt.Fprintf(out, "%-20s %3d of %3d caught, %.1f %%\n", "all", all, len(verdicts), 100*share)
	if share < o.floor {
		return fmt.Errorf("%.1f %% of the mutants were caught, the floor is %.1f %%", 100*share, 100*o.floor)
	}
	return nil
}
