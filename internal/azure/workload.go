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

// workload is what one word says about what a row is about.
type workload int

const (
	unsaid workload = iota
	aboutVM
	aboutOther
	notKnown // a word that this program does not know, or no word
)

func workloadOf(f field) workload {
	switch f {
	case "":
		return unsaid
	case managementVM, workloadVM, typeVM:
		return aboutVM
	}
	word := strings.ToLower(strings.TrimSpace(string(f)))
	switch {
	case word == strings.ToLower(managementVM), word == strings.ToLower(workloadVM), word == strings.ToLower(typeVM),
		word == "microsoft.classiccompute/virtualmachines", word == "azureiaasvmprotecteditem":
		return aboutVM
	case slices.Contains(otherWorkloads(), word):
		return aboutOther
	}
	return notKnown
}

// another is the workload of a row that clearly is about something else than a VM, and "" of any other.
func (w wireItem) another() string {
	other := ""
	for _, f := range [...]field{w.Properties.Management, w.Properties.Workload, w.Properties.Type} {
		switch workloadOf(f) {
		case aboutVM, notKnown:
			return ""
		case aboutOther:
			other = firstOf(other, string(f))
		case unsaid:
		}
	}
	return other
}

// workload notes where an item does not say that it is about a VM, or says something else, too. The list was asked for
// VMs, so that silence means one.
func (w wireItem) workload(r *reading) {
	p := w.Properties
	said := [...]workload{workloadOf(p.Management), workloadOf(p.Workload), workloadOf(p.Type)}
	vm := slices.Contains(said[:], aboutVM)
	for i, f := range [...]field{p.Management, p.Workload, p.Type} {
		if said[i] == aboutOther || said[i] == notKnown && !vm {
			r.misread([...]string{"backupManagementType", "workloadType", "protectedItemType"}[i], f)
		}
	}
}
