package simulator

import (
	"time"

	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/settings"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// checker judges a write by the rules of the service: what the state is, what is asked for, and when.
type checker struct {
	st  *state.State
	set settings.Settings
	now time.Time
	// version is the request's api-version; auxiliary its header with tokens of other tenants.
	version, auxiliary string
}

// unverified returns a refusal whose status or code no source confirms; it is a setting.
func (ck checker) unverified(name, format string, args ...any) reply.Reply {
	return reply.Unverified(ck.set.Unverified, name, format, args...)
}
