package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// An estate shifted by some days as a whole gives the same plan, audit and explanation, except for the dates in them:
// no output depends on the day of the run, nor on the machine's clock, which under synctest is at the year 2000.
func TestAnEstateMovedInTimeGivesTheSame(t *testing.T) {
	commands := []string{
		"plan --all --format text", "plan --all --format json", "plan --format markdown",
		"audit --all --format text", "audit --format json", "audit --format csv", "audit --format markdown", "audit --format html",
		"audit --format sarif", "audit --format junit", "audit --format prometheus",
		"explain app01", "explain sql01 --format json", "explain old01",
	}
	want := map[string]string{}
	for _, command := range commands {
		want[command] = onMovedEstate(t, command, 0)
	}
	if !strings.Contains(want["plan --all --format text"], " undelete") || !strings.Contains(want["audit --all --format text"], "36.7 % covered, 18 of 49 VMs") {
		t.Fatalf("the example shows less than it should:\n%s\n%s", want["plan --all --format text"], want["audit --all --format text"])
	}
	for _, days := range []int{-900, -3, 400} {
		for _, command := range commands {
			if diff := cmp.Diff(want[command], onMovedEstate(t, command, days)); diff != "" {
				t.Errorf("azbackup %s, moved by %d days:\n%s", command, days, diff)
			}
		}
	}
}

// onMovedEstate returns a command's output for the example's estate with all times shifted, with dates relative to the
// day of the snapshot.
func onMovedEstate(t *testing.T, command string, days int) string {
	t.Helper()
	raw, err := os.ReadFile("../../examples/estate.json")
	if err != nil {
		t.Fatal(err)
	}
	estate := filepath.Join(t.TempDir(), "estate.json")
	if err := os.WriteFile(estate, []byte(moved(t, string(raw), days)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(strings.Fields(command), "-f", "../../examples/quickstart.yaml", "--simulate", estate)
	var out, complaints bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		Main(context.Background(), args, Streams{
			In: strings.NewReader(""), Out: &out, Err: &complaints, Env: func(string) (string, bool) { return "", false },
			Now: time.Now, Version: "test",
		})
	})
	if out.Len() == 0 {
		t.Fatalf("azbackup %s says nothing: %s", command, complaints.String())
	}
	return toldFromTaken(t, out.String(), taken.AddDate(0, 0, days))
}

// taken is the time of the example's snapshot.
var taken = time.Date(2026, time.November, 20, 6, 0, 0, 0, time.UTC)

// moved shifts all times of an estate but the sentinel of 2001, which means "never".
func moved(t *testing.T, estate string, days int) string {
	t.Helper()
	return regexp.MustCompile(`20(0[02-9]|[1-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?`).ReplaceAllStringFunc(estate, func(s string) string {
		at, err := time.Parse("2006-01-02T15:04:05", s)
		if err != nil {
			t.Fatal(err)
		}
		return at.AddDate(0, 0, days).Format("2006-01-02T15:04:05.999999999")
	})
}

// toldFromTaken replaces every date in a text by its days since from, and every count of seconds since 1970.
func toldFromTaken(t *testing.T, text string, from time.Time) string {
	t.Helper()
	for layout, pattern := range map[string]string{
		time.DateOnly:    `\b20(0[02-9]|[1-9]\d)-\d\d-\d\d`,
		"2 January 2006": `\b\d+ [A-Z][a-z]+ 20\d\d\b`,
	} {
		text = regexp.MustCompile(pattern).ReplaceAllStringFunc(text, func(s string) string {
			at, err := time.Parse(layout, s)
			if err != nil {
				return s
			}
			return fmt.Sprintf("day %+d", int(at.Sub(from.Truncate(24*time.Hour)).Hours()/24))
		})
	}
	return regexp.MustCompile(`\b1\.\d+e\+09\b`).ReplaceAllStringFunc(text, func(s string) string {
		seconds, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("second %+d", int64(seconds)-from.Unix())
	})
}
