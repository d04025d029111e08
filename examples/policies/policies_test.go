package policies

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/config"
)

// Each file loads beside any other config without a warning, is one managed policy of its own name, and says why it is so.
func TestEveryPolicyIsValidAndSaysWhy(t *testing.T) {
	base := filepath.Join(t.TempDir(), "azbackup.yaml")
	text := "version: 1\nsubscriptions: [11111111-1111-1111-1111-111111111111]\nvaults:\n  - {name: rsv, resourceGroup: rg, location: westeurope}\n"
	if err := os.WriteFile(base, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(Names()) < 5 {
		t.Errorf("only %v are there", Names())
	}
	for _, name := range Names() {
		rule := filepath.Join(t.TempDir(), "rule.yaml")
		if err := os.WriteFile(rule, []byte("version: 1\nvms:\n  - {name: all, match: {names: [\"*\"]}, policy: "+name+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, warnings, err := config.Load([]string{base, name + ".yaml", rule}, os.LookupEnv)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, w := range warnings {
			t.Errorf("%s: %v", name, w)
		}
		if len(c.Policies) != 1 || c.Policies[0].Name != name || !c.Policies[0].Manage {
			t.Errorf("%s holds %+v", name, c.Policies)
		}
		entry, err := Entry(name)
		if err != nil || strings.Count(entry, "  # ") < 2 || !strings.Contains(entry, "  - name: "+name+"\n") {
			t.Errorf("the entry of %s is %q (%v)", name, entry, err)
		}
	}
	if _, err := Entry("none"); err == nil || !strings.Contains(err.Error(), "cis, dev-test") {
		t.Errorf("a name that there is not: %v", err)
	}
}
