package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// actions is the order in which counts and groups name actions.
func actions() []plan.Action {
	return []plan.Action{
		plan.CreateVault, plan.UpdateVault, plan.CreatePolicy, plan.UpdatePolicy, plan.Refresh, plan.Undelete,
		plan.Protect, plan.Modify, plan.Resume, plan.Stop, plan.Backup, plan.Restore, plan.Blocked, plan.Unchanged, plan.Excluded,
	}
}

// name is a resource for people.
func name(id string) string { return armid.DisplayName(id) }

// lastName is the last part of an id: a policy's name.
func lastName(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// symbol is the mark of an action, as in "+ protect".
func symbol(a plan.Action) string {
	switch a {
	case plan.CreateVault, plan.CreatePolicy, plan.Protect, plan.Resume, plan.Undelete:
		return "+"
	case plan.UpdateVault, plan.UpdatePolicy, plan.Modify:
		return "~"
	case plan.Stop:
		return "■"
	case plan.Blocked:
		return "✗"
	case plan.Refresh, plan.Backup, plan.Restore:
		return "▸"
	default:
		return "·"
	}
}

func (p palette) action(a plan.Action, s string) string {
	switch symbol(a) {
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

// verb spells an action in words: "create policy".
func verb(a plan.Action) string { return strings.ReplaceAll(string(a), "-", " ") }

// effect says in a few words what a change does to its target: "daily-30d → hourly-4h".
func effect(c plan.Change) string {
	switch c.Action {
	case plan.Blocked:
		return verb(c.Wanted)
	case plan.Protect, plan.Resume:
		if c.After == nil {
			return ""
		}
		return strings.Join(notEmpty(arrow(lastName(c.After.Policy)), diskWords(c.After.Disks)), ", ")
	case plan.Stop:
		return "keep data"
	case plan.Undelete:
		return "data back, no backups"
	case plan.Backup:
		if c.After != nil && c.After.Retain > 0 {
			return "keep " + duration(time.Duration(c.After.Retain))
		}
		return ""
	case plan.Restore:
		return restoreWords(c.RestoreOrder)
	default:
		return fieldWords(c)
	}
}

// restoreWords say what a restore makes of which point: "→ rg-restored, all disks of 2026-11-19 22:00:00 UTC (8h old)".
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
	age := duration(time.Duration(o.Point.AgeSeconds) * time.Second)
	return arrow(lastName(o.Into)) + ", " + disks + " of " + pointTime(o.Point.Time) + " (" + age + " old)"
}

func arrow(s string) string {
	if s == "" {
		return ""
	}
	return "→ " + s
}

// fieldWords shows up to two differences; more are counted.
func fieldWords(c plan.Change) string {
	if len(c.Fields) > 2 {
		return strconv.Itoa(len(c.Fields)) + " settings"
	}
	var words []string
	for _, f := range c.Fields {
		words = append(words, fieldWord(c, f))
	}
	return strings.Join(words, ", ")
}

func fieldWord(c plan.Change, f plan.Field) string {
	if creates(c) {
		return f.Path + " " + dash(f.After)
	}
	return f.Path + " " + dash(f.Before) + " → " + dash(f.After)
}

// creates says that a change makes its target: its fields have no before.
func creates(c plan.Change) bool {
	return c.Action == plan.CreateVault || c.Action == plan.CreatePolicy
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func diskWords(d *plan.Disks) string {
	switch {
	case d == nil:
		return ""
	case d.Include && len(d.LUNs) == 0:
		return "OS disk only"
	case d.Include:
		return "disks " + luns(d.LUNs)
	default:
		return "without disks " + luns(d.LUNs)
	}
}

func luns(numbers []int) string {
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ",")
}

func notEmpty(words ...string) []string {
	var kept []string
	for _, w := range words {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return kept
}

// counts spells a summary: "2 protect, 1 modify, 97 unchanged". Only what occurs is named.
func counts(summary map[plan.Action]int) string {
	var words []string
	for _, a := range actions() {
		if n := summary[a]; n > 0 {
			words = append(words, fmt.Sprintf("%s %s", number(n), verb(a)))
		}
	}
	return strings.Join(words, ", ")
}

// number spells n with thousands apart: 12,345.
func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural spells n of something: "1 change", "2 changes".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + one + "s"
}

// duration spells d for people, in its one or two largest units: "4m", "1h 30m", "30d".
func duration(d time.Duration) string {
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

func rule(r *plan.RuleRef) string {
	if r == nil {
		return ""
	}
	return fmt.Sprintf("rule %s (%s:%d)", r.Name, r.File, r.Line)
}

// Name is a resource for people, safe in one line of a terminal: "group/name" for VMs, else the name.
func Name(id string) string { return Line(name(id)) }

// Duration spells d for people: "1h 30m".
func Duration(d time.Duration) string { return duration(d) }

// Headline is a plan in one line.
func Headline(p plan.Plan) string { return headline(p) }

// Verb spells an action in words.
func Verb(a plan.Action) string { return verb(a) }

// Count spells n of something: "1 vault", "2 vaults".
func Count(n int, one string) string { return plural(n, one) }
