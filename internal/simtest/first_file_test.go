package simtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/examples/policies"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/export"
	"github.com/azbackup/azbackup/plan"
)

// Whatever an estate holds: the first file loads, the first plan with it has nothing to do, and with the comment signs
// taken away it loads again and has a rule for each machine without backup.
func TestTheFirstPlanWithAFirstFileIsEmptyAndItsCommentsAreRules(t *testing.T) {
	dir, undecidedAtAll := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		estate := &exportedEstate{vms: []wireObject{}, vaults: []wireObject{}, policies: []wireObject{}, items: []wireObject{}}
		for i := range rapid.IntRange(0, 3).Draw(t, "policies") {
			estate.add(rapid.SampledFrom([]string{"weu", "sibling"}).Draw(t, "vault"), fmt.Sprintf("policy-%d", i), drawWirePolicy(t))
		}
		for i := range rapid.IntRange(0, 4).Draw(t, "machines without backup") {
			group := rapid.SampledFrom([]string{"rg-app", "RG-App", "rg-${X}", "rg-#", "rg-*"}).Draw(t, "group")
			name := rapid.SampledFrom([]string{"new", "weu-policy-0", "a b", "x*", "${HOME}", "yes", "new: {", "# n"}).Draw(t, "name") + fmt.Sprint(i)
			region := rapid.SampledFrom([]string{"westeurope", "uksouth"}).Draw(t, "region")
			estate.vms = append(estate.vms, wireObject{
				"id": armid.VM(agreeSub, group, name), "name": name, "type": "Microsoft.Compute/virtualMachines", "location": region,
				"properties": wireObject{"provisioningState": "Succeeded"},
			})
		}
		var starter *export.Starter
		if name := rapid.SampledFrom(append(policies.Names(), "", "")).Draw(t, "starter"); name != "" {
			entry, err := policies.Entry(name)
			if err != nil {
				t.Fatal(err)
			}
			starter = &export.Starter{Name: name, Entry: entry}
		}
		server := estate.serve(t)
		first := discoverEstate(t, server, plan.Scope{Subscriptions: []string{agreeSub}, AllVaults: true, Elsewhere: true})
		text, undecided, err := export.FirstFile(first, export.Options{Subscriptions: []string{agreeSub}}, starter)
		if err != nil {
			t.Fatal(err)
		}
		load := func(text string) *config.Config {
			file := filepath.Join(dir, "azbackup.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, _, err := config.Load([]string{file}, func(string) (string, bool) { return "", false })
			if err != nil {
				t.Fatalf("the file does not load: %v\n%s", err, text)
			}
			return c
		}
		c := load(string(text))
		p := plan.Make(c, discoverEstate(t, server, plan.ScopeOf(c)), plan.Options{Now: agreeNow})
		if len(p.Changes) > 0 || !p.Complete {
			t.Fatalf("complete: %t, to do: %s\n%s", p.Complete, describeChanges(p.Changes), text)
		}
		decided := load(strings.NewReplacer("\n#  ", "\n  ", "\n#vms:", "\nvms:").Replace(string(text)))
		without := 0
		for _, vm := range first.VMs {
			if _, ruled := c.Match(vm.Target()); ruled {
				continue
			}
			without++
			if _, ruled := decided.Match(vm.Target()); !ruled {
				t.Fatalf("%s has no rule, and no comment is for it\n%s", vm.ID, text)
			}
		}
		if without != undecided {
			t.Fatalf("%d machines have no rule, and %d are counted\n%s", without, undecided, text)
		}
		undecidedAtAll += undecided
	})
	if undecidedAtAll == 0 {
		t.Error("no machine without backup was drawn")
	}
}
