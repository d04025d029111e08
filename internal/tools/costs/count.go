package costs

import (
	"runtime"
	"runtime/debug"
)

// Count is what a piece of work costs, whatever the machine.
type Count struct {
	Allocations, Bytes float64 // of memory
	Written            float64 // bytes of output
	Statements         int     // that ran, where the program was built to count them
}

// Allocated counts what a call allocates. Nothing is collected between its start and its end, so that pools are empty when it
// begins and nothing depends on when the machine finds time to collect. Calls must not overlap.
func Allocated(call func() error) (Count, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // pools let go of what they hold with the second
	runtime.ReadMemStats(&before)
	err := call()
	runtime.ReadMemStats(&after)
	return Count{Allocations: float64(after.Mallocs - before.Mallocs), Bytes: float64(after.TotalAlloc - before.TotalAlloc)}, err
}
