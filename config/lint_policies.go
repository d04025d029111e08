package config

func (l *linter) checkPolicies() {
	unique := l.names("the policy")
	for i := range l.c.Policies {
		p := &l.c.Policies[i]
		if l.has(&p.Name) {
			unique.add(l.at(&p.Name), p.Name)
		}
		l.resolve(p.Vaults, func(i int) *node { return l.w.where[&p.Vaults[i]] })
	}
}
