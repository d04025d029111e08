package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

func (l *linter) checkRestoreTests() {
	unique := l.newNameChecker("the restore test")
	vms := newIDPlaces()
	var entries []matching
	for i := range l.c.RestoreTests {
		t := &l.c.RestoreTests[i]
		if l.nodeOf(t).isInvalid || l.out.isFull() {
			continue
		}
		if l.isSetAndValid(&t.Name) {
			unique.add(l.nodeOf(&t.Name), t.Name)
		}
		l.checkTestForm(t)
		for j := range t.IDs {
			l.checkID(&t.IDs[j], "a restore test", vms)
		}
		l.checkSelectors(t.Match)
		l.checkSelectors(t.Except)
		l.checkExcept(&t.Except)
		l.checkTarget(&t.Into)
		if l.isSetAndValid(&t.Every) && t.Every < leastTestInterval {
			l.out.warn(l.nodeOf(&t.Every), "restore-test", "a test shows that restoring works: some times a year are usual",
				"each VM would be restored more than once a day")
		}
		entries = append(entries, matching{t.Name, l.nodeOf(t), &t.Match, &t.Except})
	}
	l.checkCovered("restore test", entries)
	limits := &l.c.Settings.Limits
	if len(entries) > 0 && l.isSetAndValid(&limits.RunTimeout) && limits.RunTimeout < limits.RestoreTimeout {
		l.out.warn(l.nodeOf(&limits.RunTimeout), "restore-test", "make it longer than restoreTimeout, or restoreTimeout shorter: what a cut restore leaves, azbackup restore-test --clean-up removes",
			"the run may end before a restore test, which may take %s, does", describeSpan(limits.RestoreTimeout))
	}
}

func describeSpan(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return d.String()
}

// leastTestInterval is the shortest interval without a warning: the service restores an item ten times a day at most
// (docs/azure.md §19), and on the day when it must be restored in earnest none should be missing.
const leastTestInterval = 24 * time.Hour

// checkTestForm checks which keys of a restore test go together.
func (l *linter) checkTestForm(t *RestoreTest) {
	ids, match := l.isSet(&t.IDs), l.isSet(&t.Match)
	switch {
	case ids && match:
		l.out.fail(l.nodeOf(&t.Match), "rule-form", "", "a restore test has either \"ids\" or \"match\", not both")
	case !ids && !match && !l.nodeOf(t).suggests("ids") && !l.nodeOf(t).suggests("match"):
		l.out.fail(l.nodeOf(t), "rule-form", `to test every VM that is backed up write match: {names: ["*"]}`, "a restore test needs \"ids\" or \"match\"")
	case ids && l.isSet(&t.Except):
		l.out.fail(l.nodeOf(&t.Except), "rule-form", "", "\"except\" goes with \"match\", not with \"ids\"")
	}
}

// checkTarget checks the group and the accounts of a test: each is a name or an id.
func (l *linter) checkTarget(t *RestoreTarget) {
	l.checkTargetID(&t.ResourceGroup, "a resource group", "/subscriptions/…/resourceGroups/…", isGroupID)
	accounts := l.newNameChecker("the storage account")
	for i := range t.StorageAccounts {
		a := &t.StorageAccounts[i]
		l.checkTargetID(a, "a storage account", "/subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/…", isAccountID)
		if l.isSetAndValid(a) {
			accounts.add(l.nodeOf(a), *a)
		}
	}
}

func (l *linter) checkTargetID(field *string, what, form string, isID func(string) bool) {
	if !l.isSetAndValid(field) {
		return
	}
	n := l.nodeOf(field)
	switch isName := !strings.Contains(*field, "/") && strings.TrimSpace(*field) == *field; {
	case isName:
	case isID(*field):
		l.checkSubscription(n, armid.SubscriptionOf(*field))
	default:
		l.out.fail(n, "restore-target", "write a name, which is looked for in the vault's subscription, or "+form, "%s is neither the name nor the id of %s", quote(*field), what)
	}
}

func isGroupID(id string) bool {
	parts := strings.Split(id, "/")
	return len(parts) == 5 && parts[0] == "" && parts[2] != "" && parts[4] != "" &&
		strings.EqualFold(parts[1], "subscriptions") && strings.EqualFold(parts[3], "resourceGroups")
}

func isAccountID(id string) bool {
	parsed, err := armid.Parse(id)
	return err == nil && strings.HasPrefix(id, "/") && strings.EqualFold(parsed.Provider, "Microsoft.Storage") &&
		len(parsed.Types) == 1 && strings.EqualFold(parsed.Types[0], "storageAccounts")
}
