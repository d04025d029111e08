package costs

import (
	"runtime"
	"runtime/debug"
)

// Count is the cost of a piece of work, independent of the machine.
type Count struct {
	Allocations, Bytes float64 // of memory
	Written            float64 // bytes of output
	Statements         int     // that ran, where the program was built to count them
}

// Allocated counts a call's allocations. Pools are empty at its start and no garbage collection runs until its end, so
// that the result does not depend on the collector's timing. Calls must not overlap.
func Allocated(call func() error) (Count, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	runtime.ReadMemStats(&before)
	err := call()
	runtime.ReadMemStats(&after)
	return Count{Allocations: float64(after.Mallocs - before.Mallocs), Bytes: float64(after.TotalAlloc - before.TotalAlloc)}, err
}
