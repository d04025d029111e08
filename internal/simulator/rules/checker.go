package rules

import (
	"time"

	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// Checker judges a write by the rules of the service. It holds what a rule needs besides the request's body.
type Checker struct {
	State    *state.State
	Settings settings.Settings
	Now      time.Time
	// Version is the request's api-version; Auxiliary its header with tokens of other tenants.
	Version, Auxiliary string
}

// unverified returns a refusal whose status or code no source confirms; it is a setting.
func (ck Checker) unverified(name, format string, args ...any) reply.Reply {
	return reply.Unverified(ck.Settings.Unverified, name, format, args...)
}
