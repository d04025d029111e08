// Package armid holds the one way azbackup compares and takes apart Azure Resource Manager ids.
//
// Azure returns one resource in several spellings (docs/azure.md §0.4: resource groups and VM names come
// back lower-cased or upper-cased, "/Subscriptions/" occurs). So an id is never compared as a string:
// two ids name the same resource when their [Key]s are equal.
//
// To read it: armid.go (ids and their keys), table.go (resources as numbers).
package armid

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Key is an id folded for comparison; it is comparable and can be a map key. The zero Key means "no id".
type Key string

// Of folds id: lower case, no trailing slash, "%3B" read as ";".
func Of(id string) Key {
	return Key(strings.ReplaceAll(strings.ToLower(trim(id)), "%3b", ";"))
}

// AppendKey appends the [Key] of id to b, so that the caller finds the value m[Key(b)] of a map without an allocation.
func AppendKey(b []byte, id string) []byte { return appendFolded(b, trim(id)) }

func trim(id string) string { return strings.TrimRight(strings.TrimSpace(id), "/") }

func appendFolded(b []byte, id string) []byte {
	for i := 0; i < len(id); i++ {
		switch c := lower(id[i]); {
		case c >= utf8.RuneSelf:
			return append(b, strings.ReplaceAll(strings.ToLower(id[i:]), "%3b", ";")...)
		case c == '%' && i+2 < len(id) && id[i+1] == '3' && lower(id[i+2]) == 'b':
			b = append(b, ';')
			i += 2
		default:
			b = append(b, c)
		}
	}
	return b
}

// Same reports whether a and b name the same resource.
func Same(a, b string) bool { return Compare(a, b) == 0 }

// Compare orders ids as their [Key]s are ordered. For nearly all ids it allocates nothing, so that large lists can be
// sorted by it.
func Compare(a, b string) int {
	for i := sharedWords(a, b); i < min(len(a), len(b)); i++ {
		c, d := a[i], b[i]
		if c != d {
			c, d = lower(c), lower(d)
		}
		if c == d && c < utf8.RuneSelf && c != '%' {
			continue
		}
		if !isPlain(c) || !isPlain(d) {
			return strings.Compare(string(Of(a)), string(Of(b)))
		}
		return cmp.Compare(c, d)
	}
	if len(a) == len(b) {
		return 0
	}
	return strings.Compare(string(Of(a)), string(Of(b)))
}

// sharedWords returns how many leading bytes, in words of eight, a and b share literally and without a percent sign, which
// may be the beginning of a letter that folding replaces: ids of one list differ at their ends, and a sort compares
// their beginnings again and again.
func sharedWords(a, b string) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= min(len(a), len(b)); i += 8 {
		w := word(a[i:])
		percent := w ^ '%'*ones // a zero byte where w has a percent sign
		if w != word(b[i:]) || (percent-ones)&^percent&tops != 0 {
			break
		}
	}
	return i
}

// word returns the first eight bytes of s as a number; the compiler makes one load of it.
func word(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// isPlain reports whether folding keeps this byte.
func isPlain(c byte) bool { return c > ' ' && c < utf8.RuneSelf && c != '/' && c != '%' }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// ID is an id taken apart. The parts keep the spelling they came with.
type ID struct {
	Subscription  string
	ResourceGroup string
	// Provider is the resource provider namespace, e.g. "Microsoft.Compute".
	Provider string
	// Types and Names are the type/name pairs behind the provider, in order.
	Types []string
	Names []string
}

// Name returns the last name in the id.
func (id ID) Name() string {
	if len(id.Names) == 0 {
		return ""
	}
	return id.Names[len(id.Names)-1]
}

// CutName cuts the last segment off an id or a path; without a slash all of it is the name.
func CutName(id string) (parent, name string) {
	i := strings.LastIndexByte(id, '/')
	if i < 0 {
		return "", id
	}
	return id[:i], id[i+1:]
}

// DisplayName returns the name of a resource for people: "group/name" for VMs, whose names repeat across groups, else
// the name alone; it returns a text that is no resource id unchanged.
func DisplayName(s string) string {
	id, err := Parse(s)
	if err != nil {
		return s
	}
	if strings.EqualFold(id.Provider, "Microsoft.Compute") {
		return id.ResourceGroup + "/" + id.Name()
	}
	return id.Name()
}

// IsCalled reports whether a reference of an operator means the resource with this id, resource group and name: a
// reference is an id, a group/name, or a name. Case does not count.
func IsCalled(ref, id, resourceGroup, name string) bool {
	if strings.HasPrefix(ref, "/") {
		return Same(id, ref)
	}
	if group, short, ok := strings.Cut(ref, "/"); ok {
		return strings.EqualFold(resourceGroup, group) && strings.EqualFold(name, short)
	}
	return strings.EqualFold(name, ref)
}

// Parse splits the id of a resource in a resource group. It checks the form only, not the provider; the error names the
// id.
func Parse(s string) (ID, error) {
	var room [16]string // an id of a resource in a resource has ten
	parts := room[:0]
	for part := range strings.SplitSeq(strings.Trim(s, "/"), "/") {
		parts = append(parts, part)
	}
	if len(parts) < 8 || len(parts)%2 != 0 ||
		!strings.EqualFold(parts[0], "subscriptions") ||
		!strings.EqualFold(parts[2], "resourceGroups") ||
		!strings.EqualFold(parts[4], "providers") {
		return ID{}, fmt.Errorf("%q is not a resource id of the form /subscriptions/…/resourceGroups/…/providers/…", s)
	}
	if slices.Contains(parts, "") {
		return ID{}, fmt.Errorf("%q is not a resource id: it has an empty part", s)
	}
	id := ID{Subscription: parts[1], ResourceGroup: parts[3], Provider: parts[5]}
	pairs := len(parts)/2 - 3
	both := make([]string, 2*pairs)
	id.Types, id.Names = both[:pairs:pairs], both[pairs:]
	for i := range pairs {
		id.Types[i], id.Names[i] = parts[6+2*i], parts[7+2*i]
	}
	return id, nil
}

// ParseVM splits the id of a virtual machine; the error names an id of another form.
func ParseVM(s string) (ID, error) { return parseKind(s, "Microsoft.Compute", "virtualMachines") }

// ParseVault splits the id of a Recovery Services vault; the error names an id of another form.
func ParseVault(s string) (ID, error) { return parseKind(s, "Microsoft.RecoveryServices", "vaults") }

func parseKind(s, provider, kind string) (ID, error) {
	id, err := Parse(s)
	if err != nil {
		return ID{}, err
	}
	if !strings.EqualFold(id.Provider, provider) || len(id.Types) != 1 || !strings.EqualFold(id.Types[0], kind) {
		return ID{}, fmt.Errorf("%q is not the id of a %s/%s", s, provider, kind)
	}
	return id, nil
}

// VM returns the id of a virtual machine.
func VM(subscription, resourceGroup, name string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + resourceGroup +
		"/providers/Microsoft.Compute/virtualMachines/" + name
}

// Vault returns the id of a Recovery Services vault.
func Vault(subscription, resourceGroup, name string) string {
	return "/subscriptions/" + subscription + "/resourceGroups/" + resourceGroup +
		"/providers/Microsoft.RecoveryServices/vaults/" + name
}

// Policy returns the id of a backup policy of a vault.
func Policy(vaultID, name string) string { return vaultID + "/backupPolicies/" + name }

// ProtectedItem returns the id under which a VM that has no item yet is protected in a vault
// (docs/azure.md §0.4: the resource group is the VM's, not the vault's). The id of an item that exists
// is taken from the service, never derived: old items keep odd letter case.
func ProtectedItem(vaultID string, vm ID) string {
	tail := "iaasvmcontainerv2;" + vm.ResourceGroup + ";" + vm.Name()
	return vaultID + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;" + tail + "/protectedItems/VM;" + tail
}

// VaultOf returns the part of a vault sub-resource's id (policy, item, job) that is the vault's own id;
// "" when id does not lie in a vault.
func VaultOf(id string) string {
	parts := strings.Split(strings.TrimLeft(id, "/"), "/")
	if len(parts) < 8 || !strings.EqualFold(parts[5], "Microsoft.RecoveryServices") || !strings.EqualFold(parts[6], "vaults") {
		return ""
	}
	return "/" + strings.Join(parts[:8], "/")
}

// SubscriptionOf returns the subscription in an id, or "".
func SubscriptionOf(id string) string {
	parts := strings.Split(strings.TrimLeft(id, "/"), "/")
	if len(parts) < 2 || !strings.EqualFold(parts[0], "subscriptions") {
		return ""
	}
	return parts[1]
}

// Region is a subscription and a location in it, folded; it is comparable and can be a map key. An empty part is unknown, or
// stands for all: the caller says which.
type Region struct{ Subscription, Location string }

// RegionOf folds a subscription and a location.
func RegionOf(subscription, location string) Region {
	return Region{strings.ToLower(subscription), Location(location)}
}

// Location folds an Azure region for comparison: "West Europe" and "westeurope" are one region.
func Location(s string) string {
	return strings.ToLower(strings.ReplaceAll(s, " ", ""))
}
