package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// isOfRestores reports whether the run restored VMs.
func (r Run) isOfRestores() bool { return r.Plan.Request != nil }

// nextFor returns what to do about a restore: how to use what it made, or what to try.
func (r Run) nextFor(result apply.Result) string {
	switch result.Outcome {
	case apply.Done, apply.AlreadyDone:
		return ""
	case apply.Blocked:
		return cmp.Or(restoreAdvice(r.reasonOf(result)), result.Hint)
	case apply.NotStarted, apply.TimedOut:
		return "nothing was started: run the same command again"
	case apply.Interrupted, apply.Unconfirmed:
		if result.Code == "" && cmp.Or(result.Job, result.Operation) != "" {
			return "it runs on in Azure: the same command, run again, follows it; azbackup points shows when its point is proven"
		}
		if result.Code == "" {
			return "whether it was started is not known: the same command, run again, follows its job where there is one"
		}
	case apply.Failed:
	}
	return cmp.Or(result.Hint, "the message says why; run the same command again when that is settled")
}

func (r Run) reasonOf(result apply.Result) plan.Reason {
	i := slices.IndexFunc(r.Plan.Changes, func(c plan.Change) bool { return c.ID == result.ID })
	if i < 0 {
		return ""
	}
	return r.Plan.Changes[i].Reason
}

// restoreAdvice returns what to try where a restore is blocked.
func restoreAdvice(why plan.Reason) string {
	switch why {
	case plan.ReasonNoBackup:
		return "nothing that was read backs it up: look in other subscriptions with --subscription"
	case plan.ReasonNoRestorablePoint:
		return "azbackup points shows what there is: another --before, an undelete, or a rehydration from the archive helps"
	case plan.ReasonRestoreGroup:
		return "make the group in the vault's subscription, or name another with --into"
	case plan.ReasonNoStaging:
		return "name an account in the region of the vault with one more --staging"
	case plan.ReasonRestoreLimit:
		return "not today: use the disks that the earlier restores made, or wait until 24 hours are over"
	case plan.ReasonNoSuchDisk:
		return "azbackup points -v shows the disks of each point: name others with --disks"
	case plan.ReasonGap:
		return "what could not be read is listed above: run again when it can be read"
	default:
		return ""
	}
}

// nextStep is what to do about some results.
type nextStep struct {
	what  string // "failed: 2 machines (rg-app/web1, rg-app/web2)"
	steps []string
	isRaw bool // steps are commands
}

// nextSteps returns what to do next, in the order of the outcomes, results with the same advice together.
func (r Run) nextSteps() []nextStep {
	var out []nextStep
	names := namesakesOf(r.Plan.Subscriptions, r.Plan.Changes)
	good := r.countOutcome(apply.Done) + r.countOutcome(apply.AlreadyDone)
	if example, restored := r.firstRestored(); restored != nil {
		out = append(out, nextStep{what: "back as disks: " + formatCount(good, "machine") + "; to use those of one, here " + names.name(example.Target) + ":", steps: useOf(example, restored), isRaw: true})
	}
	type key struct {
		outcome apply.Outcome
		next    string
	}
	var order []key
	vms := map[key][]string{}
	for _, o := range outcomeOrder() {
		for _, result := range r.Results {
			if result.Outcome != o || isGood(o) {
				continue
			}
			k := key{o, r.nextFor(result)}
			if vms[k] == nil {
				order = append(order, k)
			}
			vms[k] = append(vms[k], names.name(result.Target))
		}
	}
	for _, k := range order {
		out = append(out, nextStep{
			what:  strings.ReplaceAll(string(k.outcome), "-", " ") + ": " + formatCount(len(vms[k]), "machine") + " (" + someOf(vms[k]) + ")",
			steps: []string{k.next},
		})
	}
	return out
}

// someOf joins names, of which it leaves out most where there are many.
func someOf(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// firstRestored returns a restored VM with its template, or one with disks at least.
func (r Run) firstRestored() (found apply.Result, restored *Restored) {
	for _, result := range r.Results {
		got := r.Restored[result.ID]
		if got == nil || !isGood(result.Outcome) || len(got.Disks) == 0 {
			continue
		}
		if restored == nil || restored.Template == "" && got.Template != "" {
			found, restored = result, got
		}
	}
	return found, restored
}

// useOf returns the commands that use what a restore made.
func useOf(result apply.Result, made *Restored) []string {
	vm := lastName(result.Target)
	var steps []string
	if account, container, ok := strings.Cut(made.Leaves, "/"); ok && made.Template != "" {
		file := shellWord(vm + ".json")
		steps = append(steps,
			"az storage blob download --auth-mode login --account-name "+shellWord(account)+" --container-name "+shellWord(container)+
				" --name "+shellWord(lastName(made.Template))+" --file "+file,
			"az deployment group create"+inGroupOf(made.Disks[0])+" --template-file "+file+"   # a new machine; it asks for the names",
		)
	}
	owner := inGroupOf(result.Target)
	for _, id := range made.Disks {
		if id != made.OSDisk && made.OSDisk != "" {
			steps = append(steps, "az vm disk attach"+owner+" --vm-name "+shellWord(vm)+" --name "+shellWord(id)+"   # a data disk beside those it has")
			break
		}
	}
	if made.OSDisk != "" {
		steps = append(steps, "az vm update"+owner+" --name "+shellWord(vm)+" --os-disk "+shellWord(made.OSDisk)+"   # in place of its OS disk, deallocated")
	}
	return steps
}

// inGroupOf returns the options of az for the subscription and the group of a resource: the operator who copies the command may have
// another default subscription.
func inGroupOf(id string) string {
	parsed, err := armid.Parse(id)
	if err != nil {
		return ""
	}
	return " --subscription " + shellWord(parsed.Subscription) + " --resource-group " + shellWord(parsed.ResourceGroup)
}

// shellWord returns s as one word of a shell.
func shellWord(s string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:,-"
	if s != "" && !strings.HasPrefix(s, "-") && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(Line(s), "'", `'\''`) + "'"
}

// writeNext writes what to do next below a report for a person.
func (r Run) writeNext(w io.Writer, p palette, width int) {
	for _, n := range r.nextSteps() {
		fmt.Fprintln(w)
		for _, part := range wrap(Line(n.what), width) {
			fmt.Fprintln(w, p.bold(part))
		}
		for _, step := range n.steps {
			if n.isRaw {
				fmt.Fprintln(w, "  "+Line(step)) // to be copied: never wrapped
				continue
			}
			for _, part := range wrap(Line(step), max(0, width-2)) {
				fmt.Fprintln(w, "  "+part)
			}
		}
	}
}
