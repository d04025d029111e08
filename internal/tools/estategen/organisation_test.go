package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/cli"
)

// azbackup runs a command line on a simulated estate, and returns its exit code and result.
func azbackup(t *testing.T, args ...string) (int, []byte) {
	t.Helper()
	var out, log bytes.Buffer
	code := cli.Main(t.Context(), args, cli.Streams{
		In: &bytes.Buffer{}, Out: &out, Err: &log, Env: func(string) (string, bool) { return "", false }, Now: time.Now, Version: "test",
	})
	if out.Len() == 0 {
		t.Fatalf("%v: exit code %d, no result:\n%s", args, code, log.String())
	}
	return code, out.Bytes()
}

// Two subscriptions that are unreadable are gaps in each, the disabled one is left out, and four shards make the audit of all.
func TestPlanAuditAndShardsOfAnOrganisationAgree(t *testing.T) {
	raw, file := generate(t, "-organisation", "-vms", "1200", "-vaults", "40", "-subscriptions", "20")
	estate := filepath.Join(t.TempDir(), "estate.json")
	if err := os.WriteFile(estate, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	on := []string{"-f", file, "--simulate", estate, "--format", "json"}
	const at = "2026-11-20T08:00:00Z"
	type result struct {
		Gaps    []struct{ Code, Subscription string }
		Changes []json.RawMessage
		VMs     []struct{ ID string }
		Scope   struct{ Subscriptions []struct{ ID string } }
	}
	read := func(code int, raw []byte) (r result) {
		if err := json.Unmarshal(raw, &r); err != nil || code != 5 {
			t.Fatalf("exit code %d, want 5: %v", code, err)
		}
		return r
	}
	p := read(azbackup(t, append([]string{"plan", "--all"}, on...)...))
	code, whole := azbackup(t, append([]string{"audit", "--as-of", at}, on...)...)
	a := read(code, whole)
	for _, r := range []result{p, a} {
		unreadable := map[string]bool{}
		for _, g := range r.Gaps {
			unreadable[g.Subscription+" "+g.Code] = true
		}
		if len(r.Gaps) != 4 || len(unreadable) != 2 { // the machines and the vaults of each
			t.Errorf("gaps: %+v", r.Gaps)
		}
	}
	if n := len(a.VMs); n < 900 || n > 1100 || len(a.Scope.Subscriptions) != 19 { // 17 that were read, and two that could not be
		t.Errorf("%d machines of %d subscriptions", n, len(a.Scope.Subscriptions))
	}
	merge := []string{"report", "merge", "--format", "json"}
	for i := range 4 {
		_, part := azbackup(t, append([]string{"audit", "--as-of", at, "--shard", fmt.Sprintf("%d/4", i+1)}, on...)...)
		name := filepath.Join(t.TempDir(), "part.json")
		if err := os.WriteFile(name, part, 0o600); err != nil {
			t.Fatal(err)
		}
		merge = append(merge, name)
	}
	code, merged := azbackup(t, merge...)
	ids := regexp.MustCompile(`"request_id": "[^"]*"`)
	if want, got := ids.ReplaceAll(whole, nil), ids.ReplaceAll(merged, nil); code != 5 || !bytes.Equal(want, got) {
		i := 0
		for i < min(len(want), len(got)) && want[i] == got[i] {
			i++
		}
		t.Errorf("exit code %d; the merged audit differs:\n%.300s\nfrom that of all:\n%.300s", code, got[max(0, i-100):], want[max(0, i-100):])
	}
}
