package azure

import (
	"slices"
	"strings"
)

// The words by which a row says that it is about a VM (docs/azure.md §3, §8.2).
const (
	managementVM = "AzureIaasVM"
	workloadVM   = "VM"
	typeVM       = "Microsoft.Compute/virtualMachines"
)

// otherWorkloads are the words by which a row says that it is about something else than a VM: backupManagementType,
// workloadType and protectedItemType of the service's API, in lower case.
func otherWorkloads() []string {
	return []string{
		"azureworkload", "azurestorage", "azuresql", "mab", "dpm", "azurebackupserver", "defaultbackup",
		"sqldatabase", "sqldb", "saphanadatabase", "saphanadbinstance", "sapasedatabase", "azurefileshare", "azuresqldb", "filefolder", "exchange",
		"sharepoint", "vmwarevm", "systemstate", "client", "genericdatasource",
		"azurevmworkloadsqldatabase", "azurevmworkloadsaphanadatabase", "azurevmworkloadsaphanadbinstance", "azurevmworkloadsapasedatabase",
		"azurevmworkloadprotecteditem", "azurefileshareprotecteditem", "mabfilefolderprotecteditem", "microsoft.sql/servers/databases",
		"dpmprotecteditem", "genericprotecteditem",
	}
}

// workloadKind is what one word says about what a row is about.
type workloadKind int

const (
	kindUnset workloadKind = iota
	kindVM
	kindOther
	kindUnknown // a word that this program does not know, or no word
)

func workloadKindOf(f field) workloadKind {
	switch f {
	case "":
		return kindUnset
	case managementVM, workloadVM, typeVM:
		return kindVM
	}
	word := strings.ToLower(strings.TrimSpace(string(f)))
	switch {
	case word == strings.ToLower(managementVM), word == strings.ToLower(workloadVM), word == strings.ToLower(typeVM),
		word == "microsoft.classiccompute/virtualmachines", word == "azureiaasvmprotecteditem":
		return kindVM
	case slices.Contains(otherWorkloads(), word):
		return kindOther
	}
	return kindUnknown
}

// otherWorkload is the workload of a row that clearly is about something else than a VM, and "" of any other.
func (w wireItem) otherWorkload() string {
	other := ""
	for _, f := range [...]field{w.Properties.Management, w.Properties.Workload, w.Properties.Type} {
		switch workloadKindOf(f) {
		case kindVM, kindUnknown:
			return ""
		case kindOther:
			other = firstOf(other, string(f))
		case kindUnset:
		}
	}
	return other
}

// checkWorkload notes where an item does not say that it is about a VM, or says something else, too. The list was asked for
// VMs, so that silence means one.
func (w wireItem) checkWorkload(r *fieldReader) {
	p := w.Properties
	said := [...]workloadKind{workloadKindOf(p.Management), workloadKindOf(p.Workload), workloadKindOf(p.Type)}
	vm := slices.Contains(said[:], kindVM)
	for i, f := range [...]field{p.Management, p.Workload, p.Type} {
		if said[i] == kindOther || said[i] == kindUnknown && !vm {
			r.recordMisread([...]string{"backupManagementType", "workloadType", "protectedItemType"}[i], f)
		}
	}
}
