// Package export creates from the observed state a config that reproduces it: `plan` over the exported file has
// nothing to do, and after any later change to the estate it shows exactly that change.
//
// Export is pure: the observed state goes in, a config value and its comments come out; package config writes the
// YAML.
//
// Decisions:
//   - There is a rule for each vault, policy, disk filter and resource group, as a person would write it. It names its
//     VMs; ids are for names that a selector cannot express. The file is a third of the size of one by ids, and a VM
//     that moved or was deleted leaves a shorter list, not a rule that matches nothing.
//   - A rule is for a whole resource group, or with `tag:NAME` for a whole tag value, only where that is exactly the same
//     set: two VMs or more, all of them with the same treatment, among all that were read. An almost uniform group is
//     written by names: a pattern with exceptions would claim more than is known. Nor is a group written whole that has
//     backup data of a VM that was not read, because an identity with more rights would find that VM under the rule, nor
//     anything of a subscription with a gap. Rules that stop are never written whole: they would stop VMs that are
//     created and backed up there later. A comment explains what a rule without names means for future VMs.
//   - A rule by names has a subscription only where another subscription has a group and a VM of the same names.
//     If one is created later, the plan blocks that VM, because the vault that the rule names is elsewhere.
//   - Every active item is under a rule that names its vault, its policy and its disks, even without a disk filter
//     (`disks: all`): only what a rule sets is monitored.
//   - A stopped or suspended item gets `protect: stopped`, which keeps it as it is. Soft-deleted items get no
//     rule: any rule would recover them. Nor does a VM that plan considers unprotectable: a plan would leave it out.
//   - A policy is one entry however many vaults hold it. With [Options].Manage it is managed only where the
//     format can express all of it and every vault holds the same definition; otherwise a comment explains why.
//   - An export over gaps would leave out what was not read and so is refused by the caller, not here; the
//     comments still name each gap.
//
// # Reading order
//
//	the steps                                          export.go
//	what was read, and how each VM is backed up today  inventory.go, treatment.go
//	which VMs share a rule                             pattern.go, rules.go
//	vaults and policies                                entries.go, policy_definition.go
//	the file of azbackup init                          first_file.go
package export
