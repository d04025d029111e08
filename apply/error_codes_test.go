package apply

import (
	"testing"
	"time"

	"github.com/azbackup/azbackup/plan"
)

func TestErrorCodesAreJudgedAsTheTableSays(t *testing.T) {
	for _, tc := range []struct {
		code   string
		status int
		want   errorClass
	}{
		{"ResourceRequestsThrottled", 429, transient},
		{"SomethingNewAboutQuota", 429, transient},
		{"OperationNotAllowed", 429, transient},
		{"OperationNotAllowed", 409, conflict},
		{"OperationNotAllowed", 403, permanent},
		{"InternalServerError", 500, transient},
		{"SomethingNew", 503, transient},
		{"", 0, transient},
		{"BMSUserErrorObjectLocked", 400, conflict},
		{"BMSUserErrorConflictingProtectionOperation", 409, conflict},
		{"RSVaultUpdateErrorConflictingOperationInProgress", 400, conflict},
		{"UserErrorBackupOperationInProgress", 409, conflict},
		{"DiscoveryInProgress", 409, conflict},
		{"SomethingNew", 409, conflict},
		{"BMSUserErrorInvalidConfigureProtectionRequest", 400, needsRefresh},
		{"AuthorizationFailed", 403, transient},
		{"SomethingNew", 423, conflict},
		{"ScopeLocked", 409, permanent},
		{"MissingSubscriptionRegistration", 409, permanent},
		{"ReadOnlyDisabledSubscription", 409, permanent},
		{"ResourceGroupBeingMoved", 409, permanent},
		{"ResourceGroupBeingDeleted", 409, permanent},
		{"SubscriptionNotFound", 404, permanent},
		{"RequestDisallowedByPolicy", 403, permanent},
		{"BMSUserErrorInvalidPolicyInput", 400, permanent},
		{"UserErrorProtectionQuotaExceeded", 400, permanent},
		{"SomethingNew", 400, permanent},
		{"SomethingNew", 404, permanent},
		{"", 401, permanent},
	} {
		r := policyFor(tc.code, tc.status)
		if r.class != tc.want {
			t.Errorf("%s %d: reaction %d, want %d", tc.code, tc.status, r.class, tc.want)
		}
		if (r.class == transient || r.class == conflict) && r.wait < time.Second {
			t.Errorf("%s %d is repeated without a wait", tc.code, tc.status)
		}
	}
}

func TestLooksComeAtTheUsualAgesThenFurtherApart(t *testing.T) {
	s := func(x float64) time.Duration { return time.Duration(x * float64(time.Second)) }
	for _, tc := range []struct {
		name      string
		seen      []float64
		age, hint float64
		looked    bool
		sparing   bool
		want      float64
		likely    bool
	}{
		{"nothing known: what was recorded", nil, 0, 0, false, false, 36, true},
		{"the service's short hint is followed", nil, 0, 1, false, false, 1, true},
		{"and again", nil, 3, 1, true, false, 4, true},
		{"with the gaps of a tenth of the age", nil, 20, 1, true, false, 22, true},
		{"not when sparing reads", nil, 0, 1, false, true, 36, true},
		{"a longer hint is not", nil, 0, 60, false, false, 36, true},
		{"nor does it keep the next look waiting", nil, 36, 60, true, false, 45, false},
		{"one that ends at a mark is the mark", nil, 33, 3, false, false, 36, true},
		{"nor one that is long for the age", nil, 8, 10, true, false, 10, true},
		{"after the first mark a quarter of the age", nil, 40, 0, true, false, 50, false},
		{"close to a mark the mark", nil, 60, 0, true, false, 71, true},
		{"but not beyond a quarter of the age", nil, 52, 0, true, false, 65, false},
		{"not even where a mark follows at once", nil, 56, 0, true, false, 70, false},
		{"sparing reads only the marks", nil, 40, 0, true, true, 71, true},
		{"beyond all marks a quarter of the age", nil, 400, 0, true, true, 500, false},
		{"and no more than two minutes", nil, 1200, 0, true, true, 1320, false},
		{"what was seen counts more than what was recorded", []float64{5, 5, 5, 5}, 0, 1, false, false, 5, true},
		{"three quarters of what was seen first", []float64{4, 4, 5, 5, 6, 6, 7, 7, 8, 8}, 0, 0, false, false, 7, true},
		{"also after a look that came for the sake of others", []float64{4, 4, 5, 5, 6, 6, 7, 7, 8, 8}, 1, 0, false, false, 7, true},
		{"then the rest", []float64{4, 4, 5, 5, 6, 6, 7, 7, 8, 8}, 7, 0, true, false, 8, true},
		{"what was seen meanwhile makes the gap no longer", []float64{24.4, 24.4, 24.4, 24.4, 24.4, 24.4, 24.4, 24.4}, 5.2, 1, true, false, 6.5, false},
		{"one that was seen to take long is no reason to look late", []float64{300}, 0, 0, false, false, 36, true},
		{"few were seen: the shortest of them, too", []float64{4, 30, 30}, 0, 0, false, false, 4, true},
		{"many are", []float64{60, 60, 60, 60, 60, 60, 60, 60}, 0, 0, false, false, 60, true},
	} {
		u := newDurationEstimator(Options{})
		for _, d := range tc.seen {
			u.observe(plan.Protect, s(d))
		}
		accepted := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
		o := u.nextPoll(plan.Protect, accepted, s(tc.age), s(tc.hint), tc.looked, tc.sparing)
		if at := o.due.Sub(accepted); at != s(tc.want) || o.isLikely != tc.likely {
			t.Errorf("%s: at %v (likely %v), want %v (%v)", tc.name, at, o.isLikely, s(tc.want), tc.likely)
		}
		bound := time.Time{}
		if tc.looked && !tc.sparing {
			bound = accepted.Add(s(tc.age) + max(s(tc.age)/4, time.Second))
		}
		if !o.deferUntil.Equal(bound) {
			t.Errorf("%s: not later than %v, want %v", tc.name, o.deferUntil, bound)
		}
	}
}

func TestAJobThatEndedWhileTheVaultWasReadSettlesNothing(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	c := plan.Change{Action: plan.Protect, Item: "/x/protectionContainers/IaasVMContainer;iaasvmcontainerv2;g;vm/protectedItems/VM;iaasvmcontainerv2;g;vm"}
	job := plan.Job{ID: "j", Container: "iaasvmcontainerv2;g;vm", Operation: "ConfigureBackup", Status: "Completed", Start: at.Add(-time.Minute)}
	for ago, want := range map[time.Duration]phase{-time.Second: phaseInProgress, time.Second: phaseInProgress, time.Minute: phaseUnknown} {
		job.End = at.Add(-ago)
		l := newVaultSnapshot(Snapshot{Jobs: []plan.Job{job}}, at)
		if got, _ := l.phase(c, at.Add(-time.Hour), ""); got != want {
			t.Errorf("a job that ended %v before the look: standing %d, want %d", ago, got, want)
		}
	}
}

func TestARightThatWasJustAssignedIsWaitedForOnce(t *testing.T) {
	if r := policyFor("AuthorizationFailed", statusForbidden); r.tries != 1 || r.wait != 15*time.Second {
		t.Errorf("%+v", r)
	}
}
