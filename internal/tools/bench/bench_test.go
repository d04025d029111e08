package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRowsAreChosenByNameOrPattern(t *testing.T) {
	all := rows()
	for names, want := range map[string]int{"plan-100k": 1, "plan-100k,audit-json": 2, "virtual-*": 5, "plan-1m": 1} {
		if got, err := choose(all, names, false); err != nil || len(got) != want {
			t.Errorf("%s: %d rows, %v, want %d", names, len(got), err, want)
		}
	}
	if _, err := choose(all, "plan-100k,nothing", false); err == nil {
		t.Error("a row that does not exist was chosen")
	}
	few, _ := choose(all, "", false)
	many, _ := choose(all, "", true)
	if len(many) != len(all) || len(few) != len(all)-2 {
		t.Errorf("%d rows without -big and %d with, of %d", len(few), len(many), len(all))
	}
}

func TestEveryRowIsToldApart(t *testing.T) {
	names, whats := map[string]bool{}, map[string]bool{}
	for _, r := range rows() {
		if names[r.name] || r.run == nil {
			t.Errorf("row %s: twice, or without a run", r.name)
		}
		names[r.name] = true
		if whats[r.what] && !strings.Contains(r.what, "the same") {
			t.Errorf("row %s: %q stands twice", r.name, r.what)
		}
		whats[r.what] = true
	}
}

func TestAMissedTargetSaysByHowMuchAndWhy(t *testing.T) {
	r := row{most: []limit{{seconds, 4}, {memory, 250}, {left, 0}}, why: "lists are kept whole"}
	if got := r.target(); got != "≤ 4 s, ≤ 250 MB, no changes left" {
		t.Errorf("target %q", got)
	}
	if got := r.verdict(measured{Figures: map[figure]float64{seconds: 4, memory: 200}}); got != "met" {
		t.Errorf("kept: %q", got)
	}
	got := r.verdict(measured{Figures: map[figure]float64{seconds: 5, memory: 417, left: 2}})
	if got != "missed by 1.0 s (25 %); 167 MB (67 %); 2 changes left: lists are kept whole" {
		t.Errorf("missed: %q", got)
	}
}

// Seconds on a machine that other work keeps busy say nothing: they are neither shown nor judged.
func TestSecondsOfABusyMachineAreNotJudged(t *testing.T) {
	const unjudged = "the seconds are not judged: other work kept the machine busy"
	r := row{most: []limit{{seconds, 4}, {memory, 250}}}
	for want, m := range map[string]measured{
		"but for the seconds met; " + unjudged: {Figures: map[figure]float64{seconds: 5, memory: 200}, Load: 20},
		"missed by 50 MB (20 %); " + unjudged:  {Figures: map[figure]float64{seconds: 5, memory: 300}, Load: 20},
		"missed by 1.0 s (25 %)":               {Figures: map[figure]float64{seconds: 5, memory: 200}},
	} {
		if got := r.verdict(m); got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
	busy := measured{Figures: map[figure]float64{seconds: 5, memory: 200}, Load: 20, Note: "4.0 s of a processor"}
	if got := busy.String(); got != "200 MB (4.0 s of a processor; load 20)" {
		t.Errorf("shown as %q", got)
	}
}

// What a busy machine measures goes beside the seconds of an earlier measurement, not in their place.
func TestSecondsOfABusyMachineReplaceNone(t *testing.T) {
	quiet := measured{Figures: map[figure]float64{seconds: 5, memory: 200}}
	busy := measured{Figures: map[figure]float64{seconds: 50, memory: 300}, Load: 20}
	for _, tt := range []struct {
		m, before measured
		want      string
	}{
		{busy, quiet, "5.0 s, 300 MB"},
		{busy, busy, "300 MB (load 20)"},
		{busy, measured{}, "300 MB (load 20)"},
		{quiet, busy, "5.0 s, 200 MB"},
	} {
		if got := tt.m.withQuietSeconds(tt.before).String(); got != tt.want {
			t.Errorf("%v after %v: %q, want %q", tt.m, tt.before, got, tt.want)
		}
	}
}

func TestTheMiddleOfSeveralRunsCounts(t *testing.T) {
	run := func(s float64, note string) measured {
		return measured{Figures: map[figure]float64{seconds: s, memory: 10 * s}, Note: note}
	}
	m := middle([]measured{run(3, "c"), run(1, "a"), run(2, "b")})
	if m.Figures[seconds] != 2 || m.Figures[memory] != 20 || m.Note != "b" {
		t.Errorf("%v", m)
	}
}

func TestOnlyTheBlockOfTheReadmeIsReplaced(t *testing.T) {
	readme := "above\n" + blockBegins + "old\n" + blockEnds + "below\n"
	got, err := replaceBlock(readme, "new\n")
	if err != nil || got != strings.Replace(readme, "old", "new", 1) {
		t.Errorf("%v\n%s", err, got)
	}
	for _, bad := range []string{"", blockBegins, blockEnds, "above\n" + blockEnds + blockBegins} {
		if _, err := replaceBlock(bad, "new\n"); err == nil {
			t.Errorf("%q has no block, and was changed", bad)
		}
	}
}

func TestNumbersOfAnotherMachineAreNotMixedIn(t *testing.T) {
	dir := t.TempDir()
	readme, file := filepath.Join(dir, "README.md"), filepath.Join(dir, resultsFile)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	put := func(machine string, names ...string) error {
		b := results{Machine: machine, Rows: map[string]measured{}}
		for _, name := range names {
			b.Rows[name] = measured{Figures: map[figure]float64{seconds: 1}, Commit: "2026-11-28"}
		}
		return b.publish(readme)
	}
	if err := os.WriteFile(readme, []byte(blockBegins+blockEnds), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := put("one", "plan-100k", "audit-json"); err != nil {
		t.Fatal(err)
	}
	if err := put("one", "plan-1m"); err != nil {
		t.Fatal(err)
	}
	if err := put("other", "plan-1m"); err == nil {
		t.Error("rows of two machines stand in one table")
	}
	text, _ := os.ReadFile(readme)
	measured := []string{"plan-100k", "audit-json", "plan-1m"}
	for _, r := range rows() {
		if got, want := strings.Contains(string(text), "| "+r.what+" |"), slices.Contains(measured, r.name); got != want && r.name != "audit-1m" {
			t.Errorf("row %s stands in the README: %v, want %v\n%s", r.name, got, want, text)
		}
	}
}

// The smallest apply, planned again: both processes are real.
func TestARowIsMeasuredInTwoProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	var progress bytes.Buffer
	l, err := newLab(t.Context(), t.TempDir(), 2, &progress)
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.measure(t.Context(), row{run: apply{vms: 3, takes: time.Millisecond, bound: 0.1}.run}, 1)
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	if m.Figures[seconds] <= 0 || m.Figures[each] < 1 || m.Figures[throttled] != 0 || m.Figures[ofBound] <= 1 {
		t.Errorf("measured %v", m)
	}
	small := fleet{vms: 60, vaults: 2}
	for name, run := range map[string]run{
		"plan": reading(small, "plan"), "audit": reading(small, "audit"), "export": exporting(small), "parse": parsing(10_000),
	} {
		m, err := l.measure(t.Context(), row{run: run}, 1)
		if err != nil || runtime.GOOS == "linux" && m.Figures[memory] < 5 {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(l.dir, "runs")); err != nil {
		t.Error(err)
	}
}

// What is measured is the process's own memory: not that of the program that starts it, in which it begins.
func TestTheMemoryOfTheMeasuringProgramIsNotCounted(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	if runtime.GOOS != "linux" {
		t.Skip("memory is measured on Linux alone")
	}
	l, err := newLab(t.Context(), t.TempDir(), 2, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ballast := make([]byte, 400_000_000)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1 // each page is resident
	}
	m, err := l.measure(t.Context(), row{run: reading(fleet{vms: 60, vaults: 2}, "plan")}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Figures[memory]; got < 5 || got > 200 {
		t.Errorf("%.0f MB", got)
	}
	runtime.KeepAlive(ballast)
	if err := l.close(); err != nil {
		t.Error(err)
	}
}

// A run that read another estate than it should is an error, not a fast one.
func TestWhatReadsLessIsNotMeasured(t *testing.T) {
	r := ran{stderr: "{\"msg\":\"hello\"}\n{\"msg\":\"a part\",\"vms\":7,\"subscription\":\"s\"}\n{\"msg\":\"read\",\"vms\":59}\n"}
	if r.hasRead(59) != nil || r.hasRead(60) == nil || (ran{}).hasRead(0) == nil {
		t.Error("the number of machines that were read is not looked at")
	}
}

func TestReadmeTablesAreThoseOfTheResults(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	b, err := readResults("results.json")
	if err != nil {
		t.Fatal(err)
	}
	want, err := replaceBlock(string(readme), b.markdown(rows()))
	if err != nil {
		t.Fatal(err)
	}
	if want != string(readme) {
		t.Error("the README's tables are not those of results.json and rows.go: `make bench-readme ROWS=none` writes them anew")
	}
}
