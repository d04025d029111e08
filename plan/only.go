package plan

import (
	"fmt"
	"strings"
)

// Only narrows a plan to a rule, a vault or VMs (`--only rule=NAME|vault=NAME|vm=GLOB`).
type Only struct {
	Key   OnlyKey
	Value string
}

// OnlyKey is what an [Only] looks at.
type OnlyKey string

// The keys of [Only].
const (
	OnlyRule  OnlyKey = "rule"
	OnlyVault OnlyKey = "vault" // name, or resource group/name
	OnlyVM    OnlyKey = "vm"    // glob over the name, resource group/name, or the id
)

// ParseOnly reads "rule=NAME", "vault=NAME" or "vm=GLOB".
func ParseOnly(s string) (Only, error) {
	key, value, found := strings.Cut(s, "=")
	switch k := OnlyKey(strings.TrimSpace(key)); {
	case !found || strings.TrimSpace(value) == "":
	case k == OnlyRule, k == OnlyVault, k == OnlyVM:
		return Only{Key: k, Value: strings.TrimSpace(value)}, nil
	}
	return Only{}, fmt.Errorf("%q is not rule=NAME, vault=NAME or vm=GLOB", s)
}
