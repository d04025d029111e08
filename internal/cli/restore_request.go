package cli

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/azbackup/azbackup/plan"
)

// restoreRequest is the request of the command line to restore VMs: by name, by filter, or those of a saved plan.
type restoreRequest struct {
	plan.RestoreRequest
	names []string
	only  []plan.TargetFilter
}

// isPlanFile reports whether the argument names a saved plan: it is the only one, and no flag says where to restore to,
// which the name of a VM would need.
func (f *restoreFlags) isPlanFile(args []string) bool {
	return f.out == "" && len(args) == 1 && len(f.only) == 0 && f.into == "" && len(f.staging) == 0
}

// readRequest returns the request of the command line, and the saved plan where one is named. It checks that the plan
// can be approved.
func (f *restoreFlags) readRequest(a *app, names []string) (*plan.Plan, restoreRequest, error) {
	if f.timeout < 0 {
		return nil, restoreRequest{}, usageError("--timeout %s is not a time", f.timeout)
	}
	if f.planFile != "" {
		return f.readSavedRequest(a)
	}
	r, err := f.request(names)
	if err != nil || f.out != "" {
		return nil, r, err
	}
	_, err = f.readApproval(a)
	return nil, r, err
}

func (f *restoreFlags) readSavedRequest(a *app) (*plan.Plan, restoreRequest, error) {
	if f.before != "" || f.point != "" || f.disks != "all" || f.again {
		return nil, restoreRequest{}, usageError("--before, --point, --disks and --again shape a plan when it is made: give them with --out")
	}
	saved, err := f.readApproval(a)
	switch {
	case err != nil:
		return nil, restoreRequest{}, withHint(err, "to restore a VM of that name, say --into GROUP and --staging ACCOUNT")
	case saved.Request == nil:
		return nil, restoreRequest{}, withHint(errors.New("the saved plan is none of restores"), "azbackup apply FILE does what it says")
	}
	return saved, restoreRequest{RestoreRequest: saved.ApprovedRequest()}, nil
}

// request parses the flags that shape a plan.
func (f *restoreFlags) request(names []string) (restoreRequest, error) {
	r := restoreRequest{names: names, RestoreRequest: plan.RestoreRequest{
		Into: withoutLastSlash(f.into), Point: f.point, Again: f.again,
	}}
	for _, account := range f.staging {
		r.Staging = append(r.Staging, withoutLastSlash(account))
	}
	var err error
	if r.Disks, err = plan.ParseDiskSelection(f.disks); err != nil {
		return r, usageError("--disks: %w", err)
	}
	if r.only, err = parseTargets(f.only); err != nil {
		return r, err
	}
	if slices.ContainsFunc(r.only, func(one plan.TargetFilter) bool { return one.Key == plan.FilterTests }) {
		return r, usageError("--only: %s selects no VMs to restore", plan.FilterTests)
	}
	if r.Before, err = parseBefore(f.before); err != nil {
		return r, err
	}
	switch {
	case len(names) == 0 && len(f.only) == 0:
		return r, usageError("name the VMs to restore, or select them with --only")
	case len(names) > 0 && len(f.only) > 0:
		// In other commands --only narrows, and here it would add: either meaning would surprise some operators.
		return r, usageError("VMs are named or selected with --only, not both: --only vm=NAME selects one by its name")
	case r.Into == "":
		return r, usageError("--into is missing: the resource group in which the disks are made")
	case len(f.staging) == 0:
		return r, usageError("--staging is missing: a storage account in the vault's region")
	case f.point != "" && f.before != "":
		return r, usageError("--point and --before exclude each other")
	case f.point != "" && len(names) != 1:
		return r, usageError("--point names a point of one VM, and %d are given", len(names))
	}
	return r, nil
}

// withoutLastSlash returns a name or an id without slashes at its end: a copied path has them, and what follows the last
// slash is taken for the name.
func withoutLastSlash(id string) string { return strings.TrimRight(id, "/") }

// parseBefore parses the flag --before; zero where it is not given.
func parseBefore(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usageError("--before %q is not a time like 2026-11-19T22:00:00Z", text)
	}
	return at, nil
}

// maxAhead is how far --before may be ahead of the service's time without a warning: by as much do clocks differ.
const maxAhead = 5 * time.Minute

// warnOfFuture warns of a --before that is still to come: it leaves no point out, as a mistyped date does that was meant to.
func (a *app) warnOfFuture(before, now time.Time) {
	if before.Sub(now) > maxAhead {
		a.log.Warn("--before "+before.UTC().Format(time.RFC3339)+" is still to come: it leaves no point out, and the newest is taken", hintKey, "it is "+now.UTC().Format(time.RFC3339)+" now")
	}
}
