package simulator

import (
	"time"

	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// What configures a server has its own room, because an estate file holds it too; whoever serves an estate finds it here.
type (
	// Settings configure the simulated service; see [settings.Settings].
	Settings = settings.Settings
	// Fault is one injected fault; see [settings.Fault].
	Fault = settings.Fault
	// ConcurrentClient is another client's change; see [settings.ConcurrentClient].
	ConcurrentClient = settings.ConcurrentClient
	// Duration is a time.Duration written as "36s".
	Duration = settings.Duration
	// Range is a duration, fixed or drawn by the seed.
	Range = settings.Range
	// Distribution is a weighted choice of durations.
	Distribution = settings.Distribution
	// Finding is a row of a restore check's result.
	Finding = settings.Finding
)

// Fixed returns a range that always yields d.
func Fixed(d time.Duration) Range { return settings.Fixed(d) }

// DefaultPages returns the page sizes used where Settings.Pages sets none.
func DefaultPages() map[string]int { return settings.DefaultPages() }
