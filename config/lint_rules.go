package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

func (l *linter) checkRules() {
	unique := l.newNameChecker("the rule")
	vms := newIDPlaces()
	var entries []matching
	for i := range l.c.Rules {
		r := &l.c.Rules[i]
		if r.ID == "" {
			entries = append(entries, matching{r.Name, l.nodeOf(r), &r.Match, &r.Except})
		}
		if l.nodeOf(r).isInvalid || l.out.isFull() {
			continue
		}
		if l.isSetAndValid(&r.Name) {
			unique.add(l.nodeOf(&r.Name), r.Name)
		}
		l.checkForm(r)
		l.checkID(&r.ID, "a rule", vms)
		l.checkSelectors(r.Match)
		l.checkSelectors(r.Except)
		l.checkExcept(&r.Except)
		l.checkRoute(r)
	}
	l.checkCovered("rule", entries)
}

// checkForm checks which keys of a rule go together.
func (l *linter) checkForm(r *Rule) {
	id, match := l.isSet(&r.ID), l.isSet(&r.Match)
	switch {
	case id && match:
		l.out.fail(l.nodeOf(&r.Match), "rule-form", "", "a rule has either \"id\" or \"match\", not both")
	case !id && !match && !l.nodeOf(r).suggests("id") && !l.nodeOf(r).suggests("match"):
		l.out.fail(l.nodeOf(r), "rule-form", `to match every VM write match: {names: ["*"]}`, "a rule needs \"id\" or \"match\"")
	case id && l.isSet(&r.Except):
		l.out.fail(l.nodeOf(&r.Except), "rule-form", "", "\"except\" goes with \"match\", not with \"id\"")
	}
	switch {
	case !l.wantsBackup(r):
		l.checkNoEffect(r)
	case l.isSetAndValid(&r.Reason):
		l.out.warn(l.nodeOf(&r.Reason), "no-effect", "a comment will do", "the reason is shown only where protect is false or stopped")
	}
	if l.wantsBackup(r) && !l.isSet(&r.Policy) && !l.nodeOf(r).suggests("policy") && !l.nodeOf(r).suggests("protect") {
		l.out.fail(l.nodeOf(&r.Name, r), "missing-key", "or write protect: false, or protect: stopped", "the rule lacks the key \"policy\"")
	}
}

// checkNoEffect warns of keys about backups in a rule that wants none.
func (l *linter) checkNoEffect(r *Rule) {
	fields := []any{&r.Policy, &r.Vault, &r.Disks, &r.Backup}
	if r.Spread {
		fields = append(fields, &r.Spread)
	}
	if r.Resume {
		fields = append(fields, &r.Resume)
	}
	for _, field := range fields {
		if l.isSetAndValid(field) && l.isSetAndValid(&r.Protect) {
			l.out.warn(l.nodeOf(field), "no-effect", "remove it", "this has no effect beside protect: %s", r.Protect)
		}
	}
}

// wantsBackup reports whether the rule wants backup; a rule whose `protect` was not understood counts as one that does not.
func (l *linter) wantsBackup(r *Rule) bool {
	return r.Protect == ProtectOn && (!l.isSet(&r.Protect) || l.isSetAndValid(&r.Protect))
}

// checkID checks the id of a VM; seen are the ids that have an entry (what it is called) already.
func (l *linter) checkID(field *string, what string, seen *idPlaces) {
	if !l.isSetAndValid(field) {
		return
	}
	n := l.nodeOf(field)
	id, err := armid.ParseVM(*field)
	if err != nil {
		l.out.fail(n, "vm-id", "write /subscriptions/…/resourceGroups/…/providers/Microsoft.Compute/virtualMachines/…",
			"%s is not the id of a VM", quote(*field))
		n.isInvalid = true
		return
	}
	l.checkSubscription(n, id.Subscription)
	if first := seen.add(*field, n); first != nil {
		l.out.fail(n, "duplicate-vm", "ids are compared without case", "this VM has %s already, in %s", what, first.describePlace())
	}
}

// idPlaces are the places where ids stand first.
type idPlaces struct {
	numbers *armid.Table
	nodes   []*node
}

func newIDPlaces() *idPlaces { return &idPlaces{numbers: armid.NewTable(0)} }

// add returns the place where the id stands already, or nil.
func (p *idPlaces) add(id string, n *node) *node {
	i, isNew := p.numbers.Add(id)
	if isNew {
		p.nodes = append(p.nodes, n)
		return nil
	}
	return p.nodes[i]
}

func (l *linter) checkSelectors(selectors []Selector) {
	for i := range selectors {
		for j, id := range selectors[i].Subscriptions {
			if field := &selectors[i].Subscriptions[j]; l.isSetAndValid(field) {
				l.checkSubscription(l.nodeOf(field), id)
			}
		}
	}
}

// checkExcept warns of `except` written as one mapping with several conditions, which reads like a list.
func (l *linter) checkExcept(except *[]Selector) {
	n := l.decoder.positions[except]
	if n == nil || n.isInvalid || n.kind != mapping || len(*except) != 1 {
		return
	}
	conditions := (*except)[0].conditions()
	if len(conditions) < 2 {
		return
	}
	l.out.warn(n, "ambiguous-except",
		"if any one should do, write a list: except: [{…}, {…}]; if all are meant, write a list of one: except: [{…}]",
		"this leaves out only VMs for which all hold: %s; not VMs for which one holds: %s",
		strings.Join(conditions, " AND "), strings.Join(conditions, " OR "))
}

// conditions returns the keys of a selector as clauses; each tag is one.
func (s Selector) conditions() []string {
	var all []string
	add := func(what string, values []string) {
		if values != nil {
			all = append(all, what+" is "+describeAlternatives(values, "missing"))
		}
	}
	add("name", s.Names)
	add("resource group", s.ResourceGroups)
	add("subscription", s.Subscriptions)
	add("location", s.Locations)
	for _, tag := range slices.Sorted(maps.Keys(s.Tags)) {
		add("tag "+clip(tag), s.Tags[tag])
	}
	return all
}
