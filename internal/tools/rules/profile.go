package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// profile holds the executed blocks of a coverage profile, by the name of the file from the folder.
type profile map[string][]block

type block struct{ fromLine, fromColumn, toLine, toColumn int }

// readProfile reads a text profile of the files in folder as `go test -coverprofile` and `go tool covdata textfmt` write it.
func readProfile(file, folder string) (profile, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading a profile: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if !strings.HasPrefix(lines[0], "mode: ") {
		return nil, fmt.Errorf("profile %s: not a coverage profile", file)
	}
	out := profile{}
	for _, line := range lines[1:] {
		i := strings.LastIndexByte(line, ':')
		var b block
		var statements, times int
		if _, err := fmt.Sscanf(line[i+1:], "%d.%d,%d.%d %d %d", &b.fromLine, &b.fromColumn, &b.toLine, &b.toColumn, &statements, &times); i < 0 || err != nil {
			return nil, fmt.Errorf("profile %s: line %q: not a block", file, line)
		}
		if _, name, within := strings.Cut(line[:i], "/"+filepath.ToSlash(folder)+"/"); within && times > 0 {
			out[name] = append(out[name], b)
		}
	}
	return out, nil
}

// isCovered reports whether the code at a position ran.
func (p profile) isCovered(file string, line, column int) bool {
	for _, b := range p[file] {
		after := line > b.fromLine || line == b.fromLine && column >= b.fromColumn
		before := line < b.toLine || line == b.toLine && column <= b.toColumn
		if after && before {
			return true
		}
	}
	return false
}
