package simulator

import (
	"time"

	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// consumeDailyLimit consumes one of a day's writes, or returns the error that none remains (docs/azure.md §13).
func (rc *requestContext) consumeDailyLimit(limit string, v *state.Vault) *reply.Reply {
	if !rc.s.set.DailyLimits && rc.s.set.Quota == "" {
		return nil
	}
	most, scope := 1000, v.Key
	if limit == "policy-writes" {
		most = 50
		if rc.s.set.PolicyLimitPerSubscription {
			scope = v.Sub
		}
	}
	if rc.st.Service.Daily == nil {
		rc.st.Service.Daily = map[string]state.DailyCount{}
	}
	d := rc.st.Service.Daily[limit+" "+scope]
	if rc.now.Sub(d.Since) >= 24*time.Hour {
		d = state.DailyCount{Since: rc.now}
	}
	if d.Count >= most {
		r := rc.unverified(limit, "The limit of %d such operations a day has been reached. Please try again later.", most)
		return &r
	}
	d.Count++
	rc.st.Service.Daily[limit+" "+scope] = d
	return nil
}
