package quota

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// A header may come from the counter of another front end, or from none at all: whichever answer has it, and however high it
// is, requests go on at the pace that the other headers allow.
func TestOneHeaderThatIsTooHighHoldsNothingBack(t *testing.T) {
	for _, header := range []int{400, 798, 1098, 12000, 120000, math.MaxInt32} {
		for _, at := range []int{0, 1, 5} {
			for _, tt := range []struct {
				bucket Bucket
				class  Class
				within time.Duration // for 60 requests
			}{
				{ListItems, Confirm, 2 * time.Minute}, {ListItems, Other, 2 * time.Minute}, {ARMWrites, Write, time.Minute},
			} {
				t.Run(fmt.Sprintf("%d/%d/%s", header, at, tt.class), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s, g := newService(1), NewLimiter(Options{Now: time.Now, Confirms: true})
						s.window(ListItems, 150, time.Hour, time.Hour)
						start := time.Now()
						for n := range 60 {
							permit, err := g.Acquire(t.Context(), tt.class, tt.bucket)
							if err != nil {
								t.Fatal(err)
							}
							resp := s.trip(tt.bucket)
							if n == at {
								resp = ok(tt.bucket, header)
							}
							permit.Observe(resp)
						}
						if took := time.Since(start); took > tt.within {
							t.Errorf("60 requests took %v", took)
						}
						share(t, s, tt.bucket, 1)
					})
				})
			}
		}
	}
}
