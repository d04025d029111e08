package simulator

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

func TestParallelClientsGetWhatTheSeedSays(t *testing.T) {
	const n = 40
	run := func(t *testing.T) map[string]string {
		var vms []string
		for i := range n {
			vms = append(vms, vmBody(fmt.Sprintf("m%d", i), "westeurope"))
		}
		c := serve(t, estate(t, `"virtualMachines":[`+strings.Join(vms, ",")+`]`), Options{Settings: settings.Settings{Seed: 3}})
		took := map[string]string{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				name := fmt.Sprintf("m%d", i)
				a, err := c.try("PUT", itemPath(name), protectBody(name, "daily"))
				if err != nil || a.status != 202 {
					t.Errorf("%s: %v %d", name, err, a.status)
					return
				}
				end := c.follow(a)
				job, err := c.try("GET", testVault+"/backupJobs/"+rawjson.TextAt(end.body, "properties", "jobId"), "")
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				took[name] = rawjson.TextAt(job.body, "properties", "duration")
			})
		}
		wg.Wait()
		if rows, _ := c.all(testVault + "/backupProtectedItems"); len(rows) != n {
			t.Errorf("%d items, want %d", len(rows), n)
		}
		return took
	}
	var first, second map[string]string
	bubble(t, func(t *testing.T) { first = run(t) })
	bubble(t, func(t *testing.T) { second = run(t) })
	different := map[string]bool{}
	for name, d := range first {
		if second[name] != d {
			t.Errorf("%s took %s, then %s", name, d, second[name])
		}
		different[d] = true
	}
	if len(different) < n/2 {
		t.Errorf("%d operations took only %d different times", n, len(different))
	}
}
