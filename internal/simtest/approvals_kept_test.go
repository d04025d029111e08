package simtest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// checkKept checks that an item which one of our writes put under a policy comes from and goes to policies that keep what
// an approved plan said, unless another client changed them after the last read that the write may rely on.
func (j *approvalChecker) checkKept(v *violations, e ourEffect, write sent, requests []sent) {
	if e.section != "protectedItems" || e.before == nil || e.after["state"] != stateActive || e.after["policy"] == e.before["policy"] {
		return
	}
	wrong := ""
	for _, a := range j.approvals {
		if a.walk != write.walk {
			continue
		}
		for _, c := range a.plan.Changes {
			if !isAbout(c, e) || c.Action != plan.Modify && c.Action != plan.Resume {
				continue
			}
			why := j.whyNotKept(c, c.Before, a, write, requests)
			if why == "" {
				why = j.whyNotKept(c, c.After, a, write, requests)
			}
			if why == "" {
				return
			}
			wrong = why
		}
	}
	if wrong != "" {
		_, short, _ := strings.Cut(string(e.id), "/vaults/")
		v.add("%s %s (request %d): %s", write.method, short, e.write, wrong)
	}
}

var keptDays = regexp.MustCompile(`retention\.days (\d+)`)

// whyNotKept returns how the policy of one side of a change differs from what was approved, or "".
func (j *approvalChecker) whyNotKept(c plan.Change, side *plan.State, a approval, write sent, requests []sent) string {
	if side == nil || len(side.Keeps) == 0 {
		return ""
	}
	id := armid.Of(side.Policy)
	isApproved := func(request int) bool {
		is := j.stateAt(id, request, -1)
		return is != nil && slices.ContainsFunc(side.Keeps, func(keeps string) bool {
			days := ""
			if found := keptDays.FindStringSubmatch(keeps); found != nil {
				days = "[" + found[1] + "]"
			}
			return is["days"] == days
		})
	}
	if isApproved(write.number) {
		return ""
	}
	for _, q := range requests {
		reads := string(armid.Of(q.path)) == string(id) || c.Risk == plan.RiskNone && string(armid.Of(q.path)) == string(armid.Of(c.Vault))+"/backuppolicies"
		if q.walk == write.walk && q.method == http.MethodGet && reads && q.number < write.number && !q.at.Before(a.at) && write.at.Sub(q.at) <= freshList && isApproved(q.number) {
			j.racedOther++
			return ""
		}
	}
	return fmt.Sprintf("the policy %s keeps %s days, which no plan showed: %q", side.Policy[strings.LastIndexByte(side.Policy, '/')+1:], j.stateAt(id, write.number, -1)["days"], side.Keeps)
}
