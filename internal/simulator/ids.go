package simulator

import "strings"

// key folds an id for comparison: lower case, no trailing slash, "%3B" read as ";" (docs/azure.md §0.4).
func key(id string) string {
	id = strings.ToLower(strings.TrimRight(id, "/"))
	return strings.ReplaceAll(id, "%3b", ";")
}

// region folds a location: "West Europe" and "westeurope" are one region.
func region(location string) string {
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}

// segment returns the part of id behind the segment called name ("" when there is none), in the id's spelling.
func segment(id, name string) string {
	parts := strings.Split(id, "/")
	for i := 0; i+1 < len(parts); i++ {
		if strings.EqualFold(parts[i], name) {
			return parts[i+1]
		}
	}
	return ""
}

// lastSegment returns the name at the end of id.
func lastSegment(id string) string {
	id = strings.TrimRight(id, "/")
	return id[strings.LastIndexByte(id, '/')+1:]
}

// vaultPart returns the vault's own id at the start of id, or "".
func vaultPart(id string) string {
	parts := strings.Split(id, "/")
	for i := 0; i+3 < len(parts); i++ {
		if strings.EqualFold(parts[i], "providers") && strings.EqualFold(parts[i+1], "Microsoft.RecoveryServices") &&
			strings.EqualFold(parts[i+2], "vaults") {
			return strings.Join(parts[:i+4], "/")
		}
	}
	return ""
}

// before returns the part of id in front of the segment called name.
func before(id, name string) string {
	parts := strings.Split(id, "/")
	for i, p := range parts {
		if strings.EqualFold(p, name) {
			return strings.Join(parts[:i], "/")
		}
	}
	return id
}

// Prefixes of the names of Azure VM containers and items (docs/azure.md §0.4).
const (
	containerPrefix   = "IaasVMContainer;"
	itemPrefix        = "VM;"
	vmContainerPrefix = "iaasvmcontainerv2;"
)

// containerKeyOf returns the common part of the names of an item, container or protectable item:
// "iaasvmcontainerv2;rg;vm" in lower case.
func containerKeyOf(name string) string {
	name = key(name)
	name = strings.TrimPrefix(name, "iaasvmcontainer;")
	return strings.TrimPrefix(name, "vm;")
}

// containerKeyFor returns the tail under which the service records a VM: group and name in lower case (docs/azure.md
// §0.4).
func containerKeyFor(group, name string) string {
	return vmContainerPrefix + strings.ToLower(group) + ";" + strings.ToLower(name)
}

// glob matches a pattern in which "*" matches any text, including slashes.
func glob(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for i := 0; i <= len(s); i++ {
		if glob(rest, s[i:]) {
			return true
		}
	}
	return false
}
