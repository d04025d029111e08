package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func profileOf(t *testing.T, blocks string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "profile.txt")
	if err := os.WriteFile(file, []byte("mode: set\n"+blocks), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestEveryRuleNamesWhoExercisedIt(t *testing.T) {
	head, few := "x/testdata/src/rules.go:5.27,6.12 1 1\n", "x/testdata/src/rules.go:6.12,8.3 1 1\n"
	condition, two := "x/testdata/src/rules.go:10.2,10.12 1 1\n", "x/testdata/src/rules.go:10.12,12.3 1 "
	var out bytes.Buffer
	err := run(&out, []string{
		"testdata/src",
		"first=" + profileOf(t, head+few),
		"second=" + profileOf(t, head+condition+two+"0\nx/testdata/src/rules.go:13.2,13.15 1 1\n"),
		"third=" + filepath.Join(t.TempDir(), "absent"),
	})
	if err != nil {
		t.Fatal(err)
	}
	// The rules that are read cite docs/azure.md.
	want := `rules of the simulator, and who exercised them
AB.  rules.go:6             §3, §33.9                      answer holds a rule
A..  rules.go:7             §3, §33.9                      answer: refuses with TooFew
...  rules.go:11            §33.12                         answer: Two are enough
.B.  rules.go:13            §7.1                           answer: return "many"
...  rules.go:17            §4                             never holds another

A = first: 2 of 5 rules
B = second: 2 of 5 rules
C = third: not run

unproven, exercised by none of them: 2 of 5 rules
unproven  rules.go:11            §33.12                         answer: Two are enough
unproven  rules.go:17            §4                             never holds another
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile.txt")
	for _, text := range []string{"", "no mode\n", "mode: set\nrules.go\n", "mode: set\nrules.go:1.2 3\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readProfile(file, "testdata/src"); err == nil {
			t.Errorf("%q was read as a profile", text)
		}
	}
}
