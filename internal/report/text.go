package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// actionOrder returns the order in which counts and groups name actions.
func actionOrder() []plan.Action {
	return []plan.Action{
		plan.CreateVault, plan.UpdateVault, plan.CreatePolicy, plan.UpdatePolicy, plan.Refresh, plan.Undelete,
		plan.Protect, plan.Modify, plan.Resume, plan.Stop, plan.Backup, plan.Restore, plan.RestoreTest, plan.Blocked, plan.Unchanged, plan.Excluded,
	}
}

// displayName returns how a resource is called for people.
func displayName(id string) string { return armid.DisplayName(id) }

// lastName returns the last part of an id: a policy's name.
func lastName(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// actionSymbol returns the mark of an action, as in "+ protect".
func actionSymbol(a plan.Action) string {
	switch a {
	case plan.CreateVault, plan.CreatePolicy, plan.Protect, plan.Resume, plan.Undelete:
		return "+"
	case plan.UpdateVault, plan.UpdatePolicy, plan.Modify:
		return "~"
	case plan.Stop:
		return "■"
	case plan.Blocked:
		return "✗"
	case plan.Refresh, plan.Backup, plan.Restore, plan.RestoreTest:
		return "▸"
	default:
		return "·"
	}
}

func (p palette) action(a plan.Action, s string) string {
	switch actionSymbol(a) {
	case "+":
		return p.create(s)
	case "~":
		return p.change(s)
	case "■":
		return p.stop(s)
	case "✗":
		return p.blocked(s)
	case "▸":
		return p.other(s)
	default:
		return p.dim(s)
	}
}

// actionText spells an action in words: "create policy".
func actionText(a plan.Action) string { return strings.ReplaceAll(string(a), "-", " ") }

// describeEffect returns in a few words what a change does to its target: "daily-30d → hourly-4h".
func describeEffect(c plan.Change) string {
	switch c.Action {
	case plan.Blocked:
		return actionText(c.Wanted)
	case plan.Protect, plan.Resume:
		if c.After == nil {
			return ""
		}
		return strings.Join(nonEmpty(describeTo(lastName(c.After.Policy)), describeDisks(c.After.Disks)), ", ")
	case plan.Stop:
		return "keep data"
	case plan.Undelete:
		return "data back, no backups"
	case plan.Backup:
		if c.After != nil && c.After.Retain > 0 {
			return "keep " + formatDuration(time.Duration(c.After.Retain))
		}
		return ""
	case plan.Restore, plan.RestoreTest:
		return restoreWords(c.RestoreOrder)
	default:
		return describeFields(c)
	}
}

// restoreWords returns where a restore puts its disks, and the point that it restores with its age: "→ rg-restored, all
// disks of 2026-11-19 22:00:00 UTC (8h old)". Where the point was asked for by a time, its age at that time stands
// there too: "(1d 8h old, 22h at --before)".
func restoreWords(o *plan.RestoreOrder) string {
	if o == nil {
		return ""
	}
	disks := "all disks"
	switch {
	case o.Select != nil && len(o.Select) == 0:
		disks = "OS disk"
	case o.Select != nil:
		disks = "OS disk and LUN " + o.Select.String()
	}
	age := formatDuration(time.Duration(o.Point.AgeSeconds)*time.Second) + " old"
	if n := o.Point.AgeAtBeforeSeconds; n > 0 {
		age += ", " + formatDuration(time.Duration(n)*time.Second) + " at --before"
	}
	return describeTo(lastName(o.Into)) + ", " + disks + " of " + pointTime(o.Point.Time) + " (" + age + ")"
}

// restoreDetails returns what else is known of a restore before it is started: its point, with consistency and tier, where it
// stages, and the names of its disks, as far as the point lists them.
func restoreDetails(o *plan.RestoreOrder) (details []string) {
	if o == nil {
		return nil
	}
	from := ""
	if o.Point.Tier != "" {
		from = "from the " + tierWords([]plan.PointTier{{Type: o.Point.Tier, Status: "Valid"}})
	}
	details = append(details, strings.Join(nonEmpty("point "+o.Point.Name, consistencyWords(o.Point.Consistency), from), ", "),
		"staged by "+lastName(o.Staging)+" in "+o.Region)
	var disks []string
	for _, d := range o.Disks {
		which := "OS disk"
		if d.LUN != plan.OSDisk {
			which = "LUN " + strconv.Itoa(d.LUN)
		}
		disks = append(disks, strings.TrimSpace(which+" "+d.Name))
	}
	if len(disks) > 0 {
		details = append(details, strings.Join(disks, ", "))
	}
	return details
}

func describeTo(s string) string {
	if s == "" {
		return ""
	}
	return "→ " + s
}

// describeFields shows up to two differences; more are counted.
func describeFields(c plan.Change) string {
	if len(c.Fields) > 2 {
		return strconv.Itoa(len(c.Fields)) + " settings"
	}
	var words []string
	for _, f := range c.Fields {
		words = append(words, describeField(c, f))
	}
	return strings.Join(words, ", ")
}

func describeField(c plan.Change, f plan.Field) string {
	if isCreation(c) {
		return f.Path + " " + orDash(f.After)
	}
	return f.Path + " " + orDash(f.Before) + " → " + orDash(f.After)
}

// isCreation reports whether a change makes its target: its fields have no before.
func isCreation(c plan.Change) bool {
	return c.Action == plan.CreateVault || c.Action == plan.CreatePolicy
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func describeDisks(d *plan.Disks) string {
	switch {
	case d == nil:
		return ""
	case d.Include && len(d.LUNs) == 0:
		return "OS disk only"
	case d.Include:
		return "disks " + formatLUNs(d.LUNs)
	default:
		return "without disks " + formatLUNs(d.LUNs)
	}
}

func formatLUNs(numbers []int) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ",")
}

func nonEmpty(words ...string) []string {
	var kept []string
	for _, w := range words {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return kept
}

// describeCounts spells a summary: "2 protect, 1 modify, 97 unchanged". Only what occurs is named.
func describeCounts(summary map[plan.Action]int) string {
	var words []string
	for _, a := range actionOrder() {
		if n := summary[a]; n > 0 {
			words = append(words, fmt.Sprintf("%s %s", formatNumber(n), actionText(a)))
		}
	}
	return strings.Join(words, ", ")
}

// formatNumber spells n with thousands apart: 12,345.
func formatNumber(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// formatCount spells n of something: "1 change", "2 changes".
func formatCount(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return formatNumber(n) + " " + one + "s"
}

// formatDuration spells d for people, in its one or two largest units: "4m", "1h 30m", "30d".
func formatDuration(d time.Duration) string {
	d = d.Round(time.Second)
	if d <= 0 {
		return "0s"
	}
	units := []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}}
	var words []string
	for _, u := range units {
		if n := d / u.size; n > 0 {
			words = append(words, strconv.Itoa(int(n))+u.name)
			d -= n * u.size
		} else if len(words) > 0 {
			break
		}
		if len(words) == 2 {
			break
		}
	}
	return strings.Join(words, " ")
}

func describeRule(r *plan.RuleRef) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("rule %s (%s:%d)", r.Name, r.File, r.Line)
}

// DisplayName returns how a resource is called for people, safe in one line of a terminal: "group/name" for VMs, else the name.
func DisplayName(id string) string { return Line(displayName(id)) }

// FormatDuration spells d for people: "1h 30m".
func FormatDuration(d time.Duration) string { return formatDuration(d) }

// DescribePlan returns a plan in one line.
func DescribePlan(p plan.Plan) string { return describePlan(p) }

// ActionText spells an action in words.
func ActionText(a plan.Action) string { return actionText(a) }

// FormatCount spells n of something: "1 vault", "2 vaults".
func FormatCount(n int, one string) string { return formatCount(n, one) }
