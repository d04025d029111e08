// Command covered reports each package's test coverage, and the lines that no test reaches.
//
//	covered PROFILE [ROOM…]
//
// PROFILE is the output of `go test -coverprofile`. With ROOMs their uncovered lines are listed, otherwise only the
// shares. A share is no target: a covered line may still be untested (see make mutants), an uncovered line certainly
// is.
//
// Rejected: go tool cover -func, which reports functions instead of packages, and -html, which needs a browser.
package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: covered PROFILE [ROOM…]")
	}
	f, err := os.Open(args[0])
	if err != nil {
		return fmt.Errorf("reading the profile: %w", err)
	}
	defer f.Close()
	rooms, err := read(f)
	if err != nil {
		return fmt.Errorf("reading %s: %w", args[0], err)
	}
	var statements, reached int
	for _, name := range slices.Sorted(maps.Keys(rooms)) {
		r := rooms[name]
		statements, reached = statements+r.statements, reached+r.reached
		fmt.Fprintf(out, "%5.1f %%  %s\n", percent(r.reached, r.statements), name)
	}
	fmt.Fprintf(out, "%5.1f %%  all\n", percent(reached, statements))
	for _, name := range args[1:] {
		r, ok := rooms[strings.Trim(strings.TrimPrefix(name, "./"), "/")]
		if !ok {
			return fmt.Errorf("room %s: the profile has nothing of it", name)
		}
		fmt.Fprintf(out, "\nreached by no test of %s:\n", name)
		for _, s := range r.unreached() {
			fmt.Fprintln(out, "  "+s)
		}
	}
	return nil
}

func percent(part, all int) float64 {
	if all == 0 {
		return 100
	}
	return 100 * float64(part) / float64(all)
}

// block is a stretch of a file that runs as one.
type block struct {
	file       string
	first, end int // lines
	column     int
	statements int
}

// room is the profile's data of one package.
type room struct {
	statements, reached int
	blocks              map[block]bool // whether a test reached it: a profile may name a block once a test binary
}

const module = "github.com/azbackup/azbackup/"

// read parses lines such as "github.com/…/plan/make.go:10.2,12.3 2 1": from, to, statements, times.
func read(profile io.Reader) (map[string]*room, error) {
	rooms := map[string]*room{}
	lines := bufio.NewScanner(profile)
	for n := 1; lines.Scan(); n++ {
		if n == 1 {
			if !strings.HasPrefix(lines.Text(), "mode:") {
				return nil, errors.New("line 1: no coverage profile")
			}
			continue
		}
		var b block
		var endColumn, times int
		file, place, ok := strings.Cut(strings.TrimPrefix(lines.Text(), module), ":")
		_, err := fmt.Sscanf(place, "%d.%d,%d.%d %d %d", &b.first, &b.column, &b.end, &endColumn, &b.statements, &times)
		if !ok || err != nil {
			return nil, fmt.Errorf("line %d: %q is no block of a coverage profile", n, lines.Text())
		}
		b.file = path.Base(file)
		name := path.Dir(file)
		if rooms[name] == nil {
			rooms[name] = &room{blocks: map[block]bool{}}
		}
		rooms[name].blocks[b] = rooms[name].blocks[b] || times > 0
	}
	if len(rooms) == 0 && lines.Err() == nil {
		return nil, errors.New("it is empty")
	}
	for _, r := range rooms {
		for b, hit := range r.blocks {
			r.statements += b.statements
			if hit {
				r.reached += b.statements
			}
		}
	}
	return rooms, lines.Err()
}

// unreached returns the line ranges that no test reached, as FILE:LINE or FILE:LINE-LINE, in the order of the files.
func (r *room) unreached() []string {
	var missed []block
	for b, hit := range r.blocks {
		if !hit && b.statements > 0 {
			missed = append(missed, b)
		}
	}
	slices.SortFunc(missed, func(a, b block) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.first, b.first), cmp.Compare(a.column, b.column))
	})
	var out []string
	for i := 0; i < len(missed); {
		b := missed[i]
		for i++; i < len(missed) && missed[i].file == b.file && missed[i].first <= b.end+1; i++ {
			b.end = max(b.end, missed[i].end)
		}
		place := fmt.Sprintf("%s:%d", b.file, b.first)
		if b.end > b.first {
			place += fmt.Sprintf("-%d", b.end)
		}
		out = append(out, place)
	}
	return out
}
