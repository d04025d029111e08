package simulator

import (
	"io"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/quota"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// The types of the packages state and settings that a caller of this package needs.
type (
	// Estate is the VM backup data of an Azure tenant; see [state.Estate].
	Estate = state.Estate
	// Effect is one change of a vault, a policy, an item or a disk; see [state.Effect].
	Effect = state.Effect
	// Cause is the origin of an effect; see [state.Cause].
	Cause = state.Cause
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

// Read reads an estate file into memory. Its errors name the key and the element.
func Read(r io.Reader) (*Estate, error) { return state.Read(r) }

// Fixed returns a range that always yields d.
func Fixed(d time.Duration) Range { return settings.Fixed(d) }

// DefaultPages returns the page sizes used where Settings.Pages sets none.
func DefaultPages() map[string]int { return settings.DefaultPages() }

// Quotas returns the profiles that Settings.Quota can name, by the hourly budget of a read action.
func Quotas() []string { return quota.Quotas() }
