package cli

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure"
)

// errorsTopic lists the codes of Azure that azbackup knows.
func errorsTopic() string {
	var b strings.Builder
	b.WriteString("Codes that Azure answers with: what they mean, what azbackup does when it is answered so on a write, and what to do. A code\n" +
		"with more behind it, such as V2, is the same one. A read is sent again while it is throttled or fails inside Azure; what\n" +
		"stays unread is a gap. A write whose answer was lost is looked up before anything else, and is never sent twice blindly.\n" +
		"What stays refused fails its own change alone, with code, message and request id.\n")
	entry := func(head, means, does, hint string) {
		b.WriteString("\n" + head + "\n")
		for _, line := range []struct{ key, text string }{{"means", means}, {"azbackup", does}, {"to do", hint}} {
			for part := range strings.SplitSeq(text.WrapSoft(line.text, topicWidth-12), "\n") {
				fmt.Fprintf(&b, "  %-9s %s\n", line.key, strings.TrimSpace(part))
				line.key = ""
			}
		}
	}
	for _, h := range apply.Codes() {
		entry(strings.Join(h.Codes, ", "), h.Means, h.Does, h.Hint)
	}
	b.WriteString("\nAny other code\n")
	for _, s := range apply.Statuses() {
		fmt.Fprintf(&b, "  %d       %s\n", s.Status, s.Does)
	}
	return strings.TrimRight(b.String(), "\n")
}

// selectorsTopic explains how rules and --only select VMs.
func selectorsTopic() string {
	return strings.TrimSpace(`
A rule selects VMs by id, or by match: a selector, or a list of which any may match.

  match: {names: [web*, app0?], tags: {env: [prod, test]}, locations: [westeurope]}

  keys          names, resourceGroups, subscriptions, locations, tags
  all keys      that a selector has must hold; the values of one key are alternatives
  * and ?       any characters, and one; in names, resource groups and tag values
  letter case   does not count
  tags          a value, a list of values, or null for VMs without that tag
  except        selectors of VMs that match and are left out all the same

A rule with an id beats every match. Else the first rule that matches decides, from top to bottom. A VM without a rule is
left alone, unless the vault that protects it says unmatched: stop.

--only narrows a plan: rule=NAME, vault=NAME (or GROUP/NAME), vm=GLOB (over the name, GROUP/NAME or the id). The same key
several times means any of them, different keys mean all of them. A narrowed plan stops nothing because of unmatched.

azbackup explain VM says which rule decides, and why.
`)
}

// restoreTopic explains how machines come back.
func restoreTopic() string {
	return strings.TrimSpace(`
azbackup restore brings back the disks of machines, as new disks beside what is there. Nothing that exists is touched. The
machine need not exist any more: its backup is enough.

  azbackup points VM                      which points there are, and which can be restored now
  azbackup restore VM --into GROUP --staging ACCOUNT
  azbackup restore VM --before 2026-11-19T22:00:00Z …   the newest point that is not later
  azbackup restore VM --disks os …        the OS disk alone; or LUNs

  --into      the resource group in which the disks are made; it must exist
  --staging   a storage account in the region of the vault; give one for each region
  approval    a person says yes, or --auto-approve, or --expect with the fingerprint that was approved

A backup that was deleted softly is first recovered: a rule for the VM and azbackup apply undelete it. When a restore has
ended, the names of the disks, and the template with which Azure makes a machine of them, are printed. More than 20 restores
in a run need a flag of their own. See azbackup help recovery-points and azbackup help permissions.
`)
}

// signInTopic explains which identity is used.
func signInTopic() string {
	return strings.TrimSpace(`
azbackup takes the identity that is there, and says on stderr which one, before it does anything. In this order: variables
of the environment, workload identity, managed identity, az login and the other tools of developers. Where none gives a
token, each that was tried is shown with its reason.

  AZURE_TOKEN_CREDENTIALS   the one to try, or a group of them: ` + strings.Join(azure.CredentialChoices(), ", ") + `
  AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE
  tenant: in the config     azbackup refuses to work in any other
  cloud: in the config      AzurePublic, AzureUSGovernment, AzureChina, or endpoints of your own

On a workstation: az login. In a pipeline: federated credentials (azure/login in GitHub Actions), so that no secret is
stored. On a machine in Azure: a managed identity. azbackup help permissions says what the identity needs, and azbackup init
--role prints that as a role. A plan on an estate (--simulate) needs no identity at all.
`)
}
