package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/internal/simulator"
)

// printSimulatorStats prints the requests that a running simulator received, most frequent first.
func (a *app) printSimulatorStats(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(url, "/")+"/_simulator/stats", nil)
	if err != nil {
		return usageError("--stats: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("asking the simulator: %w", err)
	}
	defer resp.Body.Close()
	var stats simulator.Stats
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the simulator: %s", resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&stats); err != nil {
		return fmt.Errorf("asking the simulator: %w", err)
	}
	kinds := slices.SortedFunc(maps.Keys(stats.Requests), func(x, y string) int {
		if d := stats.Requests[y] - stats.Requests[x]; d != 0 {
			return d
		}
		return strings.Compare(x, y)
	})
	for _, k := range kinds {
		fmt.Fprintf(a.Out, "%7d  %s\n", stats.Requests[k], report.Line(k))
	}
	fmt.Fprintf(a.Out, "%7d  in all: %d reads, %d writes, %d answered 429\n", stats.Total(), stats.Reads, stats.Writes, stats.Throttled())
	return nil
}
