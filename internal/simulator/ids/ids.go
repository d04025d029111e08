package ids

import "strings"

// Key folds an id for comparison: lower case, no trailing slash, "%3B" read as ";" (docs/azure.md §0.4).
func Key(id string) string {
	id = strings.ToLower(strings.TrimRight(id, "/"))
	return strings.ReplaceAll(id, "%3b", ";")
}

// Region folds a location: "West Europe" and "westeurope" are one region.
func Region(location string) string {
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}

// Segment returns the part of id behind the segment called name ("" when there is none), in the id's spelling.
func Segment(id, name string) string {
	parts := strings.Split(id, "/")
	for i := 0; i+1 < len(parts); i++ {
		if strings.EqualFold(parts[i], name) {
			return parts[i+1]
		}
	}
	return ""
}

// LastSegment returns the name at the end of id.
func LastSegment(id string) string {
	id = strings.TrimRight(id, "/")
	return id[strings.LastIndexByte(id, '/')+1:]
}

// Parent returns id without the name at its end.
func Parent(id string) string {
	return strings.TrimSuffix(id, "/"+LastSegment(id))
}

// VaultPart returns the vault's own id at the start of id, or "".
func VaultPart(id string) string {
	parts := strings.Split(id, "/")
	for i := 0; i+3 < len(parts); i++ {
		if strings.EqualFold(parts[i], "providers") && strings.EqualFold(parts[i+1], "Microsoft.RecoveryServices") &&
			strings.EqualFold(parts[i+2], "vaults") {
			return strings.Join(parts[:i+4], "/")
		}
	}
	return ""
}

// Before returns the part of id in front of the segment called name.
func Before(id, name string) string {
	parts := strings.Split(id, "/")
	for i, p := range parts {
		if strings.EqualFold(p, name) {
			return strings.Join(parts[:i], "/")
		}
	}
	return id
}

// The types of resources, in Azure's own spelling.
const (
	VMType    = "Microsoft.Compute/virtualMachines"
	VaultType = "Microsoft.RecoveryServices/vaults"
)

// Prefixes of the names of Azure VM containers and items (docs/azure.md §0.4).
const (
	ContainerPrefix   = "IaasVMContainer;"
	ItemPrefix        = "VM;"
	vmContainerPrefix = "iaasvmcontainerv2;"
)

// ContainerKeyOf returns the common part of the names of an item, container or protectable item:
// "iaasvmcontainerv2;rg;vm" in lower case.
func ContainerKeyOf(name string) string {
	name = Key(name)
	name = strings.TrimPrefix(name, "iaasvmcontainer;")
	return strings.TrimPrefix(name, "vm;")
}

// ContainerKeyFor returns the tail under which the service records a VM: group and name in lower case (docs/azure.md
// §0.4).
func ContainerKeyFor(group, name string) string {
	return vmContainerPrefix + strings.ToLower(group) + ";" + strings.ToLower(name)
}

// Match matches a pattern in which "*" matches any text, including slashes.
func Match(pattern, s string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	if !strings.HasPrefix(s, head) {
		return false
	}
	s = s[len(head):]
	for i := 0; i <= len(s); i++ {
		if Match(rest, s[i:]) {
			return true
		}
	}
	return false
}
