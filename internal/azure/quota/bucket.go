package quota

import (
	"net/http"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
)

// Bucket names one limit that Azure enforces within a subscription. Requests that draw from the same bucket
// delay each other.
type Bucket string

// The buckets that are not named after an action of Recovery Services.
const (
	ARMReads   Bucket = "arm/reads"
	ARMWrites  Bucket = "arm/writes"
	ARMDeletes Bucket = "arm/deletes"
	// ComputeReads is the limit of Compute itself; nothing but its headers reports its size.
	ComputeReads Bucket = "Microsoft.Compute/virtualMachines/read"
	// ResourceGraph is per user and belongs to no subscription.
	ResourceGraph Bucket = "Microsoft.ResourceGraph/resources/read"
)

// The actions of Recovery Services that sweeps and discovery use.
const (
	ListItems     Bucket = recoveryServices + "/vaults/backupProtectedItems/read"
	ListJobs      Bucket = recoveryServices + "/vaults/backupJobs/read"
	ListPolicies  Bucket = recoveryServices + "/vaults/backupPolicies/read"
	ListOffered   Bucket = recoveryServices + "/vaults/backupProtectableItems/read"
	ListPoints    Bucket = recoveryServices + "/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read"
	ItemOperation Bucket = recoveryServices + "/vaults/backupFabrics/protectionContainers/protectedItems/operationsStatus/read"
)

const (
	recoveryServices = "Microsoft.RecoveryServices"
	computeProvider  = "Microsoft.Compute"
	graphProvider    = "Microsoft.ResourceGraph"

	policyWrites      = "policy writes a day in "
	protectionChanges = "protection changes a day in "
)

// PolicyWrites returns the bucket of the daily limit on policy writes of a vault (docs/azure.md §13).
func PolicyWrites(vault string) Bucket { return Bucket(policyWrites + string(armid.Of(vault))) }

// ProtectionChanges returns the bucket of the daily limit on configuring and modifying protection in a vault
// (docs/azure.md §13).
func ProtectionChanges(vault string) Bucket {
	return Bucket(protectionChanges + string(armid.Of(vault)))
}

// BucketOf returns the buckets that a request draws from, by method and path alone (docs/azure.md §12):
//
//   - every request draws from one of ARM's three buckets; a POST is a write, backupStatus too;
//   - under a vault every GET, and the PUT and PATCH of the vault itself, draw from the hourly limit of their
//     action besides. The GET of a vault, its operations and its resource guards does not: no recorded answer to
//     those carries the header of that limit, and every other one does;
//   - a policy PUT and an item PUT also draw from the daily limits of their vault.
func BucketOf(r *http.Request) []Bucket {
	p := parsePath(r.URL.Path)
	buckets := []Bucket{armBucket(r.Method)}
	switch {
	case strings.EqualFold(p.provider, graphProvider):
		return append(buckets, ResourceGraph)
	case strings.EqualFold(p.provider, computeProvider) && r.Method == http.MethodGet:
		return append(buckets, ComputeReads)
	case strings.EqualFold(p.provider, recoveryServices) && p.vault != "":
		return append(buckets, vaultBuckets(r.Method, p)...)
	}
	return buckets
}

func armBucket(method string) Bucket {
	switch method {
	case http.MethodGet, http.MethodHead:
		return ARMReads
	case http.MethodDelete:
		return ARMDeletes
	}
	return ARMWrites
}

func vaultBuckets(method string, p path) []Bucket {
	action := strings.Join(p.types, "/")
	switch method {
	case http.MethodGet:
		switch action {
		case "vaults", "vaults/operationStatus", "vaults/operationResults",
			"vaults/backupResourceGuardProxies", "vaults/backupDeletedProtectionContainers":
			return nil
		}
		return []Bucket{Bucket(recoveryServices + "/" + action + "/read")}
	case http.MethodPut, http.MethodPatch:
		switch action {
		case "vaults":
			return []Bucket{recoveryServices + "/vaults/write"}
		case "vaults/backupPolicies":
			return []Bucket{PolicyWrites(p.vault)}
		case "vaults/backupFabrics/protectionContainers/protectedItems":
			return []Bucket{ProtectionChanges(p.vault)}
		}
	case http.MethodDelete:
		if action == "vaults" {
			return []Bucket{recoveryServices + "/vaults/delete"}
		}
	}
	return nil
}

// path is a parsed request path: the types without the names between them.
type path struct {
	provider string
	types    []string
	vault    string // id of the vault, "" outside vaults and for lists of vaults
}

func parsePath(s string) path {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '/' })
	for i := 0; i+1 < len(parts); i += 2 { // the names between may be anything
		if !strings.EqualFold(parts[i], "providers") {
			continue
		}
		p := path{provider: parts[i+1]}
		for j := i + 2; j < len(parts); j += 2 {
			p.types = append(p.types, canonicalType(parts[j]))
		}
		if len(parts) > i+3 && p.types[0] == "vaults" {
			p.vault = "/" + strings.Join(parts[:i+4], "/")
		}
		return p
	}
	return path{}
}

// canonicalType returns a resource type in the letter case that Recovery Services uses in its messages; paths may use
// any (docs/azure.md §0.4).
func canonicalType(t string) string {
	for _, known := range []string{
		"vaults", "backupFabrics", "protectionContainers", "protectedItems", "recoveryPoints",
		"operationsStatus", "operationStatus", "operationResults", "operations",
		"backupJobs", "backupOperations", "backupOperationResults", "backupPolicies",
		"backupProtectedItems", "backupProtectableItems", "backupProtectionContainers",
		"backupDeletedProtectionContainers", "backupResourceGuardProxies", "backupUsageSummaries",
	} {
		if strings.EqualFold(t, known) {
			return known
		}
	}
	return strings.ToLower(t)
}

// actionBucket returns the bucket of an action as a 429 spells it.
func actionBucket(action string) Bucket {
	parts := strings.Split(action, "/")
	for i, part := range parts[1:] {
		parts[i+1] = canonicalType(part)
	}
	if strings.EqualFold(parts[0], recoveryServices) {
		parts[0] = recoveryServices
	}
	return Bucket(strings.Join(parts, "/"))
}
