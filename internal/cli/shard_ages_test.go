package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/audit"
)

func TestAResultOfAnotherTimeIsNotMerged(t *testing.T) {
	now := time.Date(2000, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		made time.Duration // from now
		want string
	}{
		{0, ""},
		{-6 * time.Hour, ""},
		{6 * time.Hour, ""},
		{-6*time.Hour - time.Second, "older than --max-age 6h"},
		{6*time.Hour + time.Second, "ahead of this machine's clock"},
	} {
		files := []shardFile{{path: "a.json", kind: kindAudit, audit: audit.Result{Made: audit.Provenance{At: now.Add(tt.made)}}}}
		got := strings.Join(checkAges(files, now, 6*time.Hour), "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("made at %v from now: %q, want %q", tt.made, got, tt.want)
		}
	}
}
