package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSharesAndUnreachedLinesAreTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "profile.txt")
	profile := "mode: set\n" +
		module + "plan/make.go:10.2,12.3 3 0\n" +
		module + "plan/make.go:10.2,12.3 3 1\n" + // another test binary reached it
		module + "plan/make.go:20.2,22.3 2 0\n" +
		module + "plan/make.go:23.4,24.3 1 0\n" + // continues the previous one
		module + "plan/a.go:7.2,7.9 1 0\n" +
		module + "internal/azure/quota/x.go:1.1,2.2 1 1\n"
	if err := os.WriteFile(file, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := run(&out, []string{file, "./plan"}); err != nil {
		t.Fatal(err)
	}
	want := `100.0 %  internal/azure/quota
 42.9 %  plan
 50.0 %  all

reached by no test of ./plan:
  a.go:7
  make.go:20-24
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := run(&out, []string{file, "apply"}); err == nil {
		t.Error("a room that the profile does not have is accepted")
	}
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	for _, text := range []string{"", "plan/make.go:1.1,2.2 1 1\n", "mode: set\n", "mode: set\nplan/make.go\n", "mode: set\nplan/make.go:1.1,2.2 1\n"} {
		if _, err := read(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken for a profile", text)
		}
	}
}
