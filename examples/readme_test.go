package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

// block is the text of the first fenced block of the README that begins with start.
func block(t *testing.T, readme, start string) string {
	t.Helper()
	_, rest, found := strings.Cut(readme, start)
	text, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatalf("the README has no block after %q", start)
	}
	return text
}

func TestTheReadmeShowsTheRealPlanOfItsConfig(t *testing.T) {
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	file := filepath.Join(t.TempDir(), "azbackup.yaml")
	if err := os.WriteFile(file, []byte(block(t, readme, "```yaml\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load([]string{file}, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	p := plan.Make(c, observe(t, c), plan.Options{Now: time.Date(2026, 11, 20, 7, 0, 0, 0, time.UTC)})
	if err := report.PlanText(&got, p, report.Style{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(block(t, readme, "```\nrsv-weu-prod"), strings.TrimPrefix(got.String(), "rsv-weu-prod")); diff != "" {
		t.Errorf("the README's plan is not what plan prints (-README +plan):\n%s", diff)
	}
}
