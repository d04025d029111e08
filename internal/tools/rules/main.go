// Command rules lists the simulator's rules with the clients and recordings that exercised each: a rule that none
// exercised is unproven. A rule is a piece of the simulator's code that cites its source (docs/azure.md §n), or a
// refusal; it is exercised if that code ran, according to the coverage profile of a run.
//
//	rules internal/simulator recordings=FILE "Azure SDK for Go"=FILE …
//
// Rejected: a table maintained by hand, which would become outdated; and counting requests, which does not show the
// rules within one.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// coverageRun is a run against the simulator: the letter of its column, and the profile.
type coverageRun struct {
	name      string
	letter    byte
	isMissing bool
	covered   profile
}

func run(out io.Writer, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: rules FOLDER NAME=PROFILE…")
	}
	rules, err := find(args[0])
	if err != nil {
		return err
	}
	var witnesses []coverageRun
	for i, arg := range args[1:] {
		name, file, found := strings.Cut(arg, "=")
		if !found {
			return fmt.Errorf("argument %q: expected NAME=PROFILE", arg)
		}
		w := coverageRun{name: name, letter: byte('A' + i)}
		w.covered, err = readProfile(file, args[0])
		if errors.Is(err, os.ErrNotExist) {
			w.isMissing, err = true, nil // a client whose tools are not installed
		}
		if err != nil {
			return err
		}
		witnesses = append(witnesses, w)
	}
	print(out, rules, witnesses)
	return nil
}

func print(out io.Writer, rules []rule, witnesses []coverageRun) {
	proven := map[string]int{}
	var unproven []rule
	fmt.Fprintln(out, "rules of the simulator, and who exercised them")
	for _, r := range rules {
		marks, exercised := make([]byte, len(witnesses)), false
		for i, w := range witnesses {
			marks[i] = '.'
			if w.covered.isCovered(r.file, r.line, r.column) {
				marks[i], exercised = w.letter, true
				proven[w.name]++
			}
		}
		if !exercised {
			unproven = append(unproven, r)
		}
		fmt.Fprintf(out, "%s  %s\n", marks, r)
	}
	fmt.Fprintln(out)
	for _, w := range witnesses {
		if w.isMissing {
			fmt.Fprintf(out, "%c = %s: not run\n", w.letter, w.name)
			continue
		}
		fmt.Fprintf(out, "%c = %s: %d of %d rules\n", w.letter, w.name, proven[w.name], len(rules))
	}
	fmt.Fprintf(out, "\nunproven, exercised by none of them: %d of %d rules\n", len(unproven), len(rules))
	for _, r := range unproven {
		fmt.Fprintf(out, "unproven  %s\n", r)
	}
}
