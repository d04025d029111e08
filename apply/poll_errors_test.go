package apply_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/plan"
)

// blindBackend accepts writes and lists vaults, but no operation can be polled: its URL is not allowed, the token
// cannot be renewed, or the service refuses the poll.
type blindBackend struct {
	*fake
	err error
}

func (b blindBackend) Poll(context.Context, apply.Operation) (apply.Progress, error) {
	return apply.Progress{}, b.err
}

func lookErrors() map[string]error {
	return map[string]error{
		"not allowed":   errors.New("GET https://elsewhere.test is not allowed: another host"),
		"not signed in": errors.New("signing in: the token cannot be renewed"),
		"refused":       &apply.Error{Op: "following", Status: 403, Code: "AuthorizationFailed", Message: "no"},
		"forgotten":     &apply.Error{Op: "following", Status: 404, Code: "NotFound", Message: "no"},
	}
}

func TestTroubleWithTheLookIsNotTheEndOfTheOperation(t *testing.T) {
	for name, err := range lookErrors() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				az.hideJobs = true // the lists do not decide it for long, so the operation is polled
				az.duration = func(plan.Change, int) time.Duration { return 5 * time.Minute }
				c := itemChange(plan.Protect, "vm1")
				p := planOf(c)
				rep, runErr := apply.Run(t.Context(), p, blindBackend{az, err}, apply.Options{Observed: time.Now()})
				checkReport(t, p, rep, runErr)
				wantOutcome(t, rep, c.ID, apply.Done)
				wantWrites(t, az, "protect:vm1", 1)
			})
		})
	}
}

func TestWhatCannotBeLookedAtIsUnconfirmedWithTheTrouble(t *testing.T) {
	for name, err := range lookErrors() {
		for _, c := range []plan.Change{policyChange(plan.UpdatePolicy, "daily"), vaultChange(plan.UpdateVault), itemChange(plan.Stop, "vm1")} {
			t.Run(name+" "+string(c.Action), func(t *testing.T) {
				inBubble(t, func(t *testing.T, az *fake) {
					az.script["vm1"] = []string{"hang-unlisted"}
					p := planOf(c)
					rep, runErr := apply.Run(t.Context(), p, blindBackend{az, err}, apply.Options{Observed: time.Now()})
					checkReport(t, p, rep, runErr)
					res := wantOutcome(t, rep, c.ID, apply.Unconfirmed)
					if e, is := errors.AsType[*apply.Error](err); is {
						wantContains(t, "the message", res.Message, e.Code)
					} else {
						wantContains(t, "the message", res.Message, err.Error())
					}
				})
			})
		}
	}
}

func TestAWriteWhoseAnswerWasLostAndThatCannotBeReadBackIsUnconfirmed(t *testing.T) {
	for name, err := range lookErrors() {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, az *fake) {
				c := policyChange(plan.UpdatePolicy, "daily")
				az.script["daily"] = []string{"reset-after"}
				p := planOf(c)
				rep, runErr := apply.Run(t.Context(), p, blindBackend{az, err}, apply.Options{Observed: time.Now()})
				checkReport(t, p, rep, runErr)
				wantOutcome(t, rep, c.ID, apply.Unconfirmed)
				wantWrites(t, az, "update-policy:daily", 1)
			})
		})
	}
}

// What became of a write without an answer is looked for after a tenth and a third of the time in which it must show.
func TestALostAnswerOfAPolicyIsLookedForSoon(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		c := policyChange(plan.UpdatePolicy, "daily")
		az.script["daily"] = []string{"reset-after"}
		az.duration = func(plan.Change, int) time.Duration { return time.Second }
		rep, rec := carryOut(t, az, planOf(c), apply.Options{})
		wantOutcome(t, rep, c.ID, apply.Done)
		if took := rec.at(apply.EventFinished, c.ID)[0].Sub(rec.at(apply.EventStarted, c.ID)[0]); took > 4*time.Second {
			t.Errorf("done after %v", took)
		}
	})
}

// urlless is a service that answers a write when it has ended, without a URL to follow.
type urlless struct{ *fake }

func (b urlless) Start(ctx context.Context, c plan.Change) (apply.Operation, error) {
	op, err := b.fake.Start(ctx, c)
	op.Status, op.Result = "", ""
	return op, err
}

func TestWhatWasDoneBeforeTheAnswerIsReadBackAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		p := planOf(policyChange(plan.UpdatePolicy, "daily"))
		az.duration = func(plan.Change, int) time.Duration { return 0 }
		az.retryAfter = 9 * time.Second
		began := time.Now()
		rep, err := apply.Run(t.Context(), p, urlless{az}, apply.Options{Observed: began})
		checkReport(t, p, rep, err)
		if took := time.Since(began); took > time.Second {
			t.Errorf("done after %v", took)
		}
	})
}

// An error that only the operator can resolve ends the change at once, with its code, its text and advice.
func TestFinalRefusalsEndAtOnceInAzuresWords(t *testing.T) {
	for word, want := range map[string]struct{ code, hint string }{
		"unregistered": {"MissingSubscriptionRegistration", "az provider register"},
		"disabled":     {"ReadOnlyDisabledSubscription", "disabled"},
		"moving":       {"ResourceGroupBeingMoved", "moved"},
		"locked":       {"ScopeLocked", "lock"},
		"policy":       {"RequestDisallowedByPolicy", "Azure Policy"},
		"guarded":      {"SomethingAboutGuards", "resource guard"},
		"linked":       {"LinkedAuthorizationFailed", "resource guard"},
	} {
		inBubble(t, func(t *testing.T, az *fake) {
			az.script["vm1"] = []string{word, word, word, word, word}
			began := time.Now()
			rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
			res := wantOutcome(t, rep, "protect:vm1", apply.Failed)
			if res.Code != want.code || res.Message == "" || res.RequestID == "" || time.Since(began) > time.Second || az.started("protect:vm1") != 1 {
				t.Errorf("%s: %d writes, after %v: %+v", word, az.started("protect:vm1"), time.Since(began), res)
			}
			wantContains(t, "the hint", res.Hint, want.hint)
			if strings.Contains(res.Hint, "README") {
				t.Errorf("%s speaks of roles: %s", word, res.Hint)
			}
		})
	}
}

func TestAConflictOfAnUnknownCodeIsTriedAFewTimesThenShownAsItIs(t *testing.T) {
	inBubble(t, func(t *testing.T, az *fake) {
		az.script["vm1"] = slices.Repeat([]string{"new-conflict"}, 100)
		az.script["vm2"] = append(slices.Repeat([]string{"conflict"}, 8), "new-conflict", "new-conflict", "ok")
		began := time.Now()
		rep, _ := carryOut(t, az, planOf(itemChange(plan.Protect, "vm1")), apply.Options{})
		res := wantOutcome(t, rep, "protect:vm1", apply.Failed)
		if res.Code != "SomethingNew" || res.Message != "scripted" || az.started("protect:vm1") != 5 || time.Since(began) > 3*time.Minute {
			t.Errorf("%d writes in %v: %+v", az.started("protect:vm1"), time.Since(began), res)
		}
		// The waits for known conflicts before do not count.
		rep, _ = carryOut(t, az, planOf(itemChange(plan.Protect, "vm2")), apply.Options{})
		wantOutcome(t, rep, "protect:vm2", apply.Done)
	})
}
