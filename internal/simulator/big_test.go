package simulator

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// bigEstate writes an estate of n VMs with an item each, in vaults of 900, at 1.5 KB a VM as real bodies are.
func bigEstate(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "big.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	padding := strings.Repeat("x", 1000)
	fmt.Fprintf(w, `{"format_version":"1","virtualMachines":[`)
	for i := range n {
		body := strings.Replace(vmBody(fmt.Sprintf("vm%06d", i), "westeurope"), `"env":"prod"`, `"env":"prod","note":"`+padding+`"`, 1)
		fmt.Fprintf(w, "%s\n%s", comma(i), body)
	}
	fmt.Fprintf(w, `],"vaults":[`)
	vaults := n/900 + 1
	for i := range vaults {
		fmt.Fprintf(w, "%s\n"+`{"location":"westeurope","name":"v%d","id":"%s","properties":{}}`, comma(i), i, bigVault(i))
	}
	fmt.Fprintf(w, `],"protectedItems":[`)
	for i := range n {
		name, v := fmt.Sprintf("vm%06d", i), bigVault(i%vaults)
		tail := ids.ContainerKeyFor("RG-App", name)
		fmt.Fprintf(w, "%s\n"+`{"id":"%s/backupFabrics/Azure/protectionContainers/IaasVMContainer;%s/protectedItems/VM;%s","name":"VM;%s","properties":{"friendlyName":"%s",`+
			`"protectionState":"Protected","sourceResourceId":"%s","virtualMachineId":"%s","policyId":"%s/backupPolicies/daily","backupManagementType":"AzureIaasVM","workloadType":"VM","note":"%s"}}`,
			comma(i), v, tail, tail, tail, name, vmID(name), vmID(name), v, padding[:300])
	}
	fmt.Fprintf(w, `]}`)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func comma(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

func bigVault(i int) string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/v%d", testSub, i)
}

func heapMB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

func TestBodiesOfAnOpenedEstateStayInItsFile(t *testing.T) {
	const n = 10_000
	path := bigEstate(t, n)
	info, _ := os.Stat(path)
	before := heapMB()
	c := open1(t, path, Options{})
	grown := heapMB() - before
	if limit := 0.002 * n; grown > limit {
		t.Errorf("a file of %d MB takes %.0f MB of memory, want at most %.0f", info.Size()>>20, grown, limit)
	}
	rows, pages := c.all(vmList)
	if len(rows) != n || pages != n/settings.DefaultPages()["vms"] {
		t.Errorf("%d VMs in %d pages", len(rows), pages)
	}
	if err := c.s.Close(); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkOpen loads 100,000 VMs with their items: go test -bench Open -benchtime 1x ./internal/simulator
func BenchmarkOpen(b *testing.B) {
	path := bigEstate(b, 100_000)
	before := heapMB()
	for b.Loop() {
		began := time.Now()
		s, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/open")
		b.ReportMetric(heapMB()-before, "MB-heap")
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.Sys)/(1<<20), "MB-sys")
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
