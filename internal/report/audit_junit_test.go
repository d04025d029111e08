package report

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"runtime"
	"testing"

	"github.com/azbackup/azbackup/internal/audit"
)

// heapAt notes how much memory is in use when some bytes were written.
type heapAt struct {
	after, written int
	inUse          uint64
}

func (h *heapAt) Write(p []byte) (int, error) {
	if h.written += len(p); h.inUse == 0 && h.written >= h.after {
		h.inUse = heapInUse()
	}
	return len(p), nil
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// 100,000 VMs have as many test cases, and a file of 20 MB: neither is held in memory.
func TestJUnitIsWrittenAsItIsMade(t *testing.T) {
	const vms = 20_000
	var r audit.Result
	for i := range vms {
		r.VMs = append(r.VMs, audit.VM{ID: fmt.Sprint("/vm/", i), Name: fmt.Sprint("vm", i), ResourceGroup: "rg", State: audit.Unknown, Because: "it could not be read"})
	}
	size := &heapAt{after: 1 << 60}
	if err := AuditJUnit(size, r); err != nil {
		t.Fatal(err)
	}
	before, late := heapInUse(), &heapAt{after: size.written - size.written/20}
	if err := AuditJUnit(late, r); err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(r)
	if each := (float64(late.inUse) - float64(before)) / vms; each > 20 {
		t.Errorf("%.0f bytes of memory for each VM, at the end of %d bytes", each, size.written)
	}
}

// The numbers of a suite stand before its cases.
func TestJUnitCountsWhatItWrites(t *testing.T) {
	var r audit.Result
	for i := range 7 {
		r.VMs = append(r.VMs, audit.VM{ID: fmt.Sprint("/vm/", i), Name: "vm", State: []audit.State{audit.Unknown, audit.Excluded, audit.Protected}[i%3]})
	}
	var file bytes.Buffer
	if err := AuditJUnit(&file, r); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests   int `xml:"tests,attr"`
		Errors  int `xml:"errors,attr"`
		Skipped int `xml:"skipped,attr"`
		Suites  []struct {
			Tests int        `xml:"tests,attr"`
			Cases []struct{} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(file.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 7 || got.Errors != 3 || got.Skipped != 2 || len(got.Suites) != 1 || len(got.Suites[0].Cases) != got.Suites[0].Tests {
		t.Errorf("%+v", got)
	}
}
