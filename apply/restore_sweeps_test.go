package apply_test

import (
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
)

// The sweeps that the budget allows are spread over as many rounds as the restores need that do not fit in the slots.
func TestTheSweepsOfRestoresAreSpreadOverTheirRounds(t *testing.T) {
	const round = 72 * time.Second // how long a restore of a snapshot takes
	for _, tt := range []struct{ restores, atOnce, rounds int }{
		{1, 20, 1}, {20, 20, 1}, {21, 20, 2}, {40, 20, 2}, {41, 20, 3}, {3, 1, 3},
	} {
		got, sweeps := apply.RestoreSweepInterval(tt.restores, tt.atOnce, 20)
		want := time.Duration(float64(round) * float64(tt.rounds) / sweeps)
		if sweeps < 1 || got.Round(time.Millisecond) != want.Round(time.Millisecond) {
			t.Errorf("%d restores, %d at once: a sweep every %v, want %v", tt.restores, tt.atOnce, got, want)
		}
	}
}
