package wire

import (
	"cmp"
	"slices"
	"strings"
)

// The words that mark a row as one of a VM (docs/azure.md §3, §8.2).
const (
	managementVM = "AzureIaasVM"
	workloadVM   = "VM"
	typeVM       = "Microsoft.Compute/virtualMachines"
)

// otherWorkloads returns the words that mark a row as one of another workload: backupManagementType, workloadType and
// protectedItemType of the service's API, in lower case.
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

// workloadKind classifies one such word.
type workloadKind int

const (
	kindUnset workloadKind = iota
	kindVM
	kindOther
	kindUnknown // an unknown word, or a value that is no text
)

func workloadKindOf(f Field) workloadKind {
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

// OtherWorkload returns the workload of a row that is certainly not one of a VM, and "" for any other.
func (w *Item) OtherWorkload() string {
	other := ""
	for _, f := range [...]Field{w.Properties.Management, w.Properties.Workload, w.Properties.Type} {
		switch workloadKindOf(f) {
		case kindVM, kindUnknown:
			return ""
		case kindOther:
			other = cmp.Or(other, string(f))
		case kindUnset:
		}
	}
	return other
}

// checkWorkload records where an item does not have a VM's workload, or has another one, too. The request was for VMs,
// so an absent word means one.
func (w *Item) checkWorkload(r *fieldReader) {
	p := w.Properties
	said := [...]workloadKind{workloadKindOf(p.Management), workloadKindOf(p.Workload), workloadKindOf(p.Type)}
	vm := slices.Contains(said[:], kindVM)
	for i, f := range [...]Field{p.Management, p.Workload, p.Type} {
		if said[i] == kindOther || said[i] == kindUnknown && !vm {
			r.recordMisread([...]string{"backupManagementType", "workloadType", "protectedItemType"}[i], f)
		}
	}
}
