package config

import (
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// linter checks what the decoded file means. It stays silent about values that the walk has refused.
type linter struct {
	c   *Config
	w   *walker
	out *collector

	subscriptions map[string]bool                // folded
	keptIn        map[*Policy]map[armid.Key]bool // by policies that name their vaults
}

func newLinter(c *Config, w *walker) *linter {
	return &linter{c: c, w: w, out: w.out, subscriptions: map[string]bool{}, keptIn: map[*Policy]map[armid.Key]bool{}}
}

// The most vaults and policies of a config: more than any organisation has, few enough to be checked in seconds.
const (
	maxVaults   = 20_000
	maxPolicies = 20_000
)

func (l *linter) run() {
	if v, p := len(l.c.Vaults), len(l.c.Policies); v > maxVaults || p > maxPolicies {
		l.out.fail(l.at(&l.c.Vaults, &l.c.Policies), "too-many", "", "there are %d vaults and %d policies: at most %d of each are allowed", v, p, maxVaults)
		return
	}
	l.checkSubscriptions()
	l.checkCloud()
	l.checkVaults()
	l.checkPolicies()
	l.checkRules()
	l.checkUnused()
}

// checkUnused warns of policies that nothing uses.
func (l *linter) checkUnused() {
	if len(l.out.failures) > 0 {
		return // a rule that uses it may be what failed
	}
	for i := range l.c.Policies {
		if p := &l.c.Policies[i]; len(l.c.VaultsOf(p)) == 0 {
			l.out.warn(l.at(&p.Name), "unused", "", "policy %s is used by no rule and kept in no vault", quote(p.Name))
		}
	}
}

// checkSubscriptions finds what the walk cannot see: one id in two spellings.
func (l *linter) checkSubscriptions() {
	unique := l.names("the subscription")
	for i, id := range l.c.Subscriptions {
		if field := &l.c.Subscriptions[i]; l.has(field) {
			unique.add(l.at(field), id)
			l.subscriptions[strings.ToLower(id)] = true
		}
	}
}

// has says whether the file has a sound value for a field, given by its address.
func (l *linter) has(field any) bool {
	n := l.w.where[field]
	return n != nil && n.sound()
}

// said says whether the file names the field at all.
func (l *linter) said(field any) bool { return l.w.where[field] != nil }

// misspelt says that a key at the top of a file was probably meant to be this one: then what should stand
// there is not reported missing.
func (l *linter) misspelt(key string) bool { return l.w.where[l.c].meant(key) }

// at is the node of the first of the fields, given by their addresses, that the file has.
func (l *linter) at(fields ...any) *node {
	for _, f := range fields {
		if n := l.w.where[f]; n != nil {
			return n
		}
	}
	return l.w.where[l.c]
}

// names reports a name that stands twice, or twice but for its case.
type names struct {
	l    *linter
	what string
	seen map[string]*node
}

func (l *linter) names(what string) *names { return &names{l, what, map[string]*node{}} }

// add takes the next name; key is what must differ, in lower case or not.
func (s *names) add(n *node, key string) {
	folded := strings.ToLower(key)
	first, taken := s.seen[folded]
	switch {
	case !taken:
		s.seen[folded] = n
	case first.text == n.text:
		s.l.out.fail(n, "duplicate-name", "", "%s %s stands twice: first in %s", s.what, quote(n.text), first.where())
	default:
		s.l.out.fail(n, "case-only", "names are compared without case",
			"%s %s differs from %s in %s by case only", s.what, quote(n.text), quote(first.text), first.where())
	}
}
