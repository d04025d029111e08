// Command bench measures azbackup as users run it: the binary is one process, a simulated Azure on loopback is
// another, and the figures come from the operating system and the simulator. It prints each row next to its target,
// and writes the README's tables from the same numbers.
//
//	go run ./internal/tools/bench -rows plan-100k,audit-json
//	go run ./internal/tools/bench -big -write README.md
//
// A row is one entry of the table in rows.go. Seconds and memory depend on the machine, so a missed target fails
// nothing: costs that must not grow are checked with package baseline, in numbers that do not.
//
// # Reading order
//
//	the command, the table's rows, what is measured  main.go, rows.go, figures.go
//	the two processes, and one measurement           server.go, client.go, lab.go
//	what is measured, by kind                        reading.go, applying.go, organisation.go, virtual.go
//	what comes out                                   results.go
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	names := flags.String("rows", "", "measure only these rows, by name and with commas between; a name may be a pattern such as apply-*; none measures nothing")
	big := flags.Bool("big", false, "measure the rows of 1,000,000 machines too (minutes, and 10 GB of disk)")
	times := flags.Int("times", 3, "run each row so often and take the middle, where the row does not say it is run once")
	cores := flags.Int("cores", 2, "processors that each process may use")
	dir := flags.String("dir", filepath.Join("bin", "bench"), "the folder of the estates, which are made once")
	write := flags.String("write", "", "put what was measured into the block of this `README` (beside what was measured before)")
	list := flags.Bool("list", false, "list the rows, and measure nothing")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(rows(), *names, *big)
	if err != nil {
		return err
	}
	if *list {
		for _, r := range chosen {
			fmt.Fprintf(stdout, "%-24s %s; target %s\n", r.name, r.what, r.target())
		}
		return nil
	}
	book := newResults(*cores)
	if err := book.measure(ctx, chosen, *dir, *times, stderr); err != nil {
		return err
	}
	if len(chosen) > 0 {
		io.WriteString(stdout, book.markdown(chosen))
	}
	if *write != "" {
		return book.publish(*write)
	}
	return nil
}

// measure fills in the rows.
func (b results) measure(ctx context.Context, chosen []row, dir string, times int, stderr io.Writer) (err error) {
	if len(chosen) == 0 {
		return nil
	}
	l, err := newLab(ctx, dir, b.cores, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	for _, r := range chosen {
		fmt.Fprintf(stderr, "%s: %s\n", r.name, r.what)
		m, err := l.measure(ctx, r, times)
		if err != nil {
			return fmt.Errorf("row %s: %w", r.name, err)
		}
		fmt.Fprintf(stderr, "  %s; target %s: %s\n", m, r.target(), r.verdict(m))
		b.Rows[r.name] = m
	}
	return nil
}

// choose returns the rows that match the names or patterns. A row named explicitly is measured even if it is big.
func choose(all []row, names string, big bool) ([]row, error) {
	if names == "" {
		var chosen []row
		for _, r := range all {
			if big || !r.big {
				chosen = append(chosen, r)
			}
		}
		return chosen, nil
	}
	if names == "none" {
		return nil, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, r := range all {
			if ok, err := filepath.Match(name, r.name); err != nil {
				return nil, fmt.Errorf("-rows %q: %w", name, err)
			} else if ok {
				wanted[r.name], found = true, true
			}
		}
		if !found {
			return nil, fmt.Errorf("-rows: there is no row %q; -list shows them", name)
		}
	}
	var chosen []row
	for _, r := range all {
		if wanted[r.name] {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}
