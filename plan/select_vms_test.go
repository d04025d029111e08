package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
)

func TestFiltersSelectMachinesThatAreThereAndThoseThatAreGone(t *testing.T) {
	id := func(group, name string) string { return armid.VM(restoreSub, group, name) }
	vm := func(group, name string) VM {
		return VM{ID: id(group, name), Name: name, ResourceGroup: group, Subscription: restoreSub, Location: "westeurope", Tags: map[string]string{"env": "prod"}}
	}
	item := func(vault, vm string) Item {
		return Item{ID: "/i/" + vault + vm, Vault: armid.Vault(restoreSub, "rg-backup", vault), VM: vm, State: StateProtected}
	}
	o := Observed{
		VMs:   []VM{vm("rg-web", "web1"), vm("rg-web", "web10"), vm("rg-app", "web1"), vm("rg-app", "bare")},
		Items: []Item{item("a", id("rg-web", "web1")), item("b", id("rg-web", "web10")), item("a", id("rg-app", "web1")), item("b", id("rg-app", "gone"))},
	}
	c := &config.Config{Rules: []config.Rule{{Name: "prod", Match: []config.Selector{{Tags: map[string][]string{"env": {"prod"}}}}}}}
	for filters, want := range map[string]string{
		"vm=web1":              "rg-app/web1 rg-web/web1",
		"vm=rg-web/web1":       "rg-web/web1",
		"vm=WEB1*":             "rg-app/web1 rg-web/web1 rg-web/web10",
		"vm=gone":              "rg-app/gone",
		"group=rg-app":         "rg-app/bare rg-app/gone rg-app/web1",
		"group=rg-app vm=web*": "rg-app/web1",
		"group=rg":             "",
		"group=rg-a* group=*b": "rg-app/bare rg-app/gone rg-app/web1 rg-web/web1 rg-web/web10",
		"vault=b":              "rg-app/gone rg-web/web10",
		"vault=a group=rg-web": "rg-web/web1",
		"rule=prod":            "rg-app/bare rg-app/web1 rg-web/web1 rg-web/web10",
		"rule=none":            "",
	} {
		var only []TargetFilter
		for word := range strings.FieldsSeq(filters) {
			f, err := ParseTargetFilter(word)
			if err != nil {
				t.Fatal(err)
			}
			only = append(only, f)
		}
		var got []string
		for _, vm := range SelectVMs(c, o, only) {
			got = append(got, armid.DisplayName(vm))
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", filters, got, want)
		}
	}
}
