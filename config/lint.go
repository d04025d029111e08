package config

import (
	"net"
	"net/url"
	"strings"
)

// linter checks what the decoded file means. It stays silent about values that the decoder has refused.
type linter struct {
	c       *Config
	decoder *decoder
	out     *diagnostics

	subscriptions map[string]bool          // folded
	keptIn        map[*Policy]map[int]bool // vaults by policies that name them
	reached       map[string]*reached      // by the reach of rules
	known         map[any]bool             // the answers that [linter.once] remembers
}

func newLinter(c *Config, w *decoder) *linter {
	return &linter{
		c: c, decoder: w, out: w.out, subscriptions: map[string]bool{}, keptIn: map[*Policy]map[int]bool{}, reached: map[string]*reached{},
		known: map[any]bool{},
	}
}

// The most vaults and policies of a config: more than any organisation has, few enough to be checked in seconds.
const (
	maxVaults   = 20_000
	maxPolicies = 20_000
)

func (l *linter) run() {
	if v, p := len(l.c.Vaults), len(l.c.Policies); v > maxVaults || p > maxPolicies {
		l.out.fail(l.nodeOf(&l.c.Vaults, &l.c.Policies), "too-many", "", "there are %d vaults and %d policies: at most %d of each are allowed", v, p, maxVaults)
		return
	}
	l.checkSubscriptions()
	l.checkCloud()
	l.checkVaults()
	l.checkPolicies()
	l.checkRules()
	l.checkRestoreTests()
	l.checkUnused()
}

// checkUnused warns of policies that nothing uses.
func (l *linter) checkUnused() {
	if len(l.out.failures) > 0 || l.hasMatches() {
		return // a rule that uses it may be what failed
	}
	for i := range l.c.Policies {
		if p := &l.c.Policies[i]; len(l.c.VaultsOf(p)) == 0 {
			l.out.warn(l.nodeOf(&p.Name), "unused", "", "policy %s is used by no rule and kept in no vault", quote(p.Name))
		}
	}
}

// checkSubscriptions checks what one value does not show: that no id stands twice in two spellings. It warns where the
// run works in all that its identity sees, without minSubscriptions.
func (l *linter) checkSubscriptions() {
	unique := l.newNameChecker("the subscription")
	for i, id := range l.c.Subscriptions {
		if field := &l.c.Subscriptions[i]; l.isSetAndValid(field) {
			unique.add(l.nodeOf(field), id)
			l.subscriptions[strings.ToLower(id)] = true
		}
	}
	if q := l.c.SubscriptionQuery; q != nil && l.isSetAndValid(&l.c.Subscriptions) && len(q.ManagementGroups) == 0 && !l.isSet(&l.c.Settings.Guards.MinSubscriptions) {
		l.out.warn(l.nodeOf(&l.c.Subscriptions), "lost-role", "settings: {guards: {minSubscriptions: N}}, or managementGroups with the id of the tenant, which is the root of all",
			"where the identity loses a role, subscriptions go missing unseen")
	}
}

// isSetAndValid reports whether the file has a sound value for a field, given by its address.
func (l *linter) isSetAndValid(field any) bool {
	n := l.decoder.positions[field]
	return n != nil && n.isValid()
}

// isListValid is isSetAndValid for lists that each rule is checked against: each is checked once. It is asked
// after the list itself was checked.
func (l *linter) isListValid(field any) bool {
	return l.once(field, func() bool { return l.isSetAndValid(field) })
}

// once returns the answer to the question of a key, which it asks at the first call only.
func (l *linter) once(key any, ask func() bool) bool {
	answer, known := l.known[key]
	if !known {
		answer = ask()
		l.known[key] = answer
	}
	return answer
}

// isSet reports whether the file sets the field at all, soundly or not.
func (l *linter) isSet(field any) bool { return l.decoder.positions[field] != nil }

// hasTypo reports whether a key at the top of a file was probably meant to be this one: then what should stand
// there is not reported missing.
func (l *linter) hasTypo(key string) bool { return l.decoder.positions[l.c].suggests(key) }

// nodeOf returns the node of the first of the fields, given by their addresses, that the file has.
func (l *linter) nodeOf(fields ...any) *node {
	for _, f := range fields {
		if n := l.decoder.positions[f]; n != nil {
			return n
		}
	}
	return l.decoder.positions[l.c]
}

// nameChecker reports a name that stands twice, and one that differs from another by case only.
type nameChecker struct {
	l    *linter
	what string
	seen map[string]*node
}

func (l *linter) newNameChecker(what string) *nameChecker {
	return &nameChecker{l, what, map[string]*node{}}
}

// add takes the next name; key is what must differ, in lower case or not.
func (s *nameChecker) add(n *node, key string) {
	folded := strings.ToLower(key)
	first, taken := s.seen[folded]
	switch {
	case !taken:
		s.seen[folded] = n
	case first.text == n.text:
		s.l.out.fail(n, "duplicate-name", "", "%s %s stands twice: first in %s", s.what, quote(n.text), first.describePlace())
	default:
		s.l.out.fail(n, "case-only", "names are compared without case",
			"%s %s differs from %s in %s by case only", s.what, quote(n.text), quote(first.text), first.describePlace())
	}
}

// checkCloud checks the addresses of a custom cloud: the token goes there.
func (l *linter) checkCloud() {
	cloud := &l.c.Cloud
	for _, field := range []*string{&cloud.Endpoint, &cloud.Audience, &cloud.Authority} {
		if !l.isSetAndValid(field) {
			continue
		}
		n := l.nodeOf(field)
		u, err := url.Parse(*field)
		switch {
		case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
			l.out.fail(n, "cloud", "", "%s is not an address such as https://management.azure.com", quote(*field))
		case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
			l.out.fail(n, "cloud", "plain http is allowed on the loopback address only", "%s must start with https://", quote(*field))
		}
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
