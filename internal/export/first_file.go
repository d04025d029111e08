package export

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// Starter is a policy to add to a first file: its name, and the YAML text of its entry under `policies`, indented by two
// spaces and with its comments.
type Starter struct{ Name, Entry string }

// FirstFile returns the text of a first config: that of [Export] with a comment for each part, and rules for the VMs without
// a rule, written as comments for the operator to decide on: without the comment signs they are valid. undecided is the
// number of these VMs. starter may be nil; an item under another policy of its name is an error, as are the errors of
// [Export].
func FirstFile(o plan.Observed, opt Options, starter *Starter) (text []byte, undecided int, err error) {
	r, err := Export(o, opt)
	if err != nil {
		return nil, 0, err
	}
	c, err := r.Config.Reread()
	if err != nil {
		return nil, 0, fmt.Errorf("the config does not load: %w", err)
	}
	if starter != nil {
		for _, p := range c.Policies {
			if strings.EqualFold(p.Name, starter.Name) {
				return nil, 0, fmt.Errorf("the estate has a policy of the name %s already", p.Name)
			}
		}
	}
	rules, undecided := undecidedRules(o, c, starter)
	body, err := r.Config.Encode(nil)
	if err != nil {
		return nil, 0, err
	}
	var b bytes.Buffer
	b.WriteString("# What azbackup found. The first plan with this file has nothing to do: edit it, and plan again.\n")
	head, err := (&config.Config{Version: 1}).Encode(r.Comments)
	if err != nil {
		return nil, 0, err
	}
	for line := range strings.Lines(string(head)) {
		if strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	writeSections(&b, string(body), starter)
	if err := writeCommented(&b, rules, undecided, len(c.Rules) == 0); err != nil {
		return nil, 0, err
	}
	return b.Bytes(), undecided, nil
}

// writeSections writes the body of a config with a comment before each part, and the starter, which may be nil, after the
// other policies.
func writeSections(b *bytes.Buffer, body string, starter *Starter) {
	said := map[string]string{
		"vaults:\n":   "# The vaults that there are. They are only used; with `manage: true` azbackup creates them and keeps their settings.\n",
		"policies:\n": "# The policies in use. Their schedules stay as they are; `azbackup export --manage` writes them out.\n",
		"vms:\n":      "# Who gets which backup: an id beats every match, else the first match wins. VMs without a rule are left alone.\n",
	}
	writeStarter := func(withKey bool) {
		if starter == nil {
			return
		}
		if withKey {
			b.WriteString("\npolicies:\n")
		}
		b.WriteString(starter.Entry)
		starter = nil
	}
	inPolicies := false
	for line := range strings.Lines(body) {
		isKey := !strings.HasPrefix(line, " ")
		if isKey && inPolicies {
			writeStarter(false)
		}
		if isKey && (line == "vms:\n" || strings.HasPrefix(line, "settings:")) {
			writeStarter(true)
		}
		if isKey {
			inPolicies = line == "policies:\n"
		}
		if said[line] != "" {
			b.WriteString("\n" + said[line])
		}
		b.WriteString(line)
	}
	writeStarter(!inPolicies)
}

// undecidedRules returns a rule for the VMs of each resource group and region that have neither an item nor a rule of c,
// and the number of these VMs.
func undecidedRules(o plan.Observed, c *config.Config, starter *Starter) (rules []config.Rule, machines int) {
	type place struct{ subscription, group, region string }
	found := map[place][]plan.VM{}
	seen := map[armid.Key]bool{} // VMs with an item are seen as well: where they have no rule, a comment says why
	for _, it := range o.Items {
		seen[armid.Of(it.VM)] = true
	}
	for _, vm := range o.VMs {
		if _, ruled := c.Match(vm.Target()); ruled || seen[armid.Of(vm.ID)] {
			continue
		}
		seen[armid.Of(vm.ID)] = true
		machines++
		at := place{strings.ToLower(vm.Subscription), strings.ToLower(vm.ResourceGroup), armid.Location(vm.Location)}
		found[at] = append(found[at], vm)
	}
	names := nameAllocator{}
	for _, r := range c.Rules {
		names.allocate(r.Name)
	}
	places := make([]place, 0, len(found))
	for at := range found {
		places = append(places, at)
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.region, b.region), cmp.Compare(a.subscription, b.subscription))
	})
	for _, at := range places {
		vms := found[at]
		slices.SortFunc(vms, func(a, b plan.VM) int { return cmp.Compare(a.ID, b.ID) })
		decide := decisionFor(c, at.subscription, at.region, starter)
		together := decide
		for _, vm := range vms {
			if !isLiteral(vm.Name) || !isLiteral(vm.ResourceGroup) {
				one := decide
				one.Name, one.ID = names.allocate("new-"+vm.Name), vm.ID
				rules = append(rules, one)
				continue
			}
			if together.Match == nil {
				together.Name = names.allocate("new-" + vm.ResourceGroup)
				together.Match = []config.Selector{{ResourceGroups: []string{vm.ResourceGroup}}}
				if len(c.Subscriptions) > 1 {
					together.Match[0].Subscriptions = []string{at.subscription}
				}
			}
			if s := &together.Match[0]; !slices.ContainsFunc(s.Names, func(n string) bool { return strings.EqualFold(n, vm.Name) }) {
				s.Names = append(s.Names, vm.Name)
			}
		}
		if together.Match != nil {
			rules = append(rules, together)
		}
	}
	return rules, machines
}

// decisionFor returns the rule to propose for VMs of a region: with the starter, or a policy of the file, in a vault that may
// hold them; where there is no such vault, a rule that leaves them out.
func decisionFor(c *config.Config, subscription, region string, starter *Starter) config.Rule {
	for _, v := range c.Vaults {
		if !strings.EqualFold(v.Subscription, subscription) || v.Location != region {
			continue
		}
		name := v.ID()
		if namesakes(c, v.Name) == 1 {
			name = v.Name
		}
		if starter != nil {
			return config.Rule{Policy: starter.Name, Vault: []string{name}}
		}
		for _, p := range c.Policies {
			if slices.ContainsFunc(p.Vaults, func(ref string) bool { return isVaultNamed(v, ref) }) {
				return config.Rule{Policy: p.Name, Vault: []string{name}}
			}
		}
	}
	return config.Rule{Protect: config.ProtectOff, Reason: "not decided: no vault with a policy in " + region}
}

func namesakes(c *config.Config, vault string) int {
	n := 0
	for _, v := range c.Vaults {
		n += boolToInt(strings.EqualFold(v.Name, vault))
	}
	return n
}

func isVaultNamed(v config.Vault, ref string) bool {
	return strings.EqualFold(ref, v.Name) || strings.EqualFold(ref, v.ResourceGroup+"/"+v.Name) || armid.Same(ref, v.ID())
}

// writeCommented writes rules as comments; withKey adds the key `vms`, which the file lacks where it has no other rules.
func writeCommented(b *bytes.Buffer, rules []config.Rule, machines int, withKey bool) error {
	if machines == 0 {
		return nil
	}
	text, err := (&config.Config{Rules: rules}).Encode(nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\n# %d VMs have no rule. Decide: take the comment signs of a rule away, or write `protect: false` and why.\n", machines)
	if withKey {
		b.WriteString("#vms:\n")
	}
	_, list, _ := strings.Cut("\n"+string(text), "\nvms:\n")
	for line := range strings.Lines(list) {
		if !strings.HasPrefix(line, " ") {
			break
		}
		b.WriteString("#" + line)
	}
	return nil
}
