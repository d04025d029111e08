// Package export turns what exists into a config that reproduces it: `plan` over the exported file has
// nothing to do, and after any later change to the estate it shows exactly that change.
//
// Export is pure: observed in, a config value and its comments out; the config room writes the YAML.
//
// Decisions:
//   - Every item that is active stands under a rule that names its vault, its policy and its disks, also
//     when it has no disk filter (`disks: all`): only what a rule says is watched.
//   - VMs are grouped by a tag or by resource group only where the selector matches exactly the VMs that
//     have one vault, one policy and one disk filter in common, among all VMs that were read. A group that is
//     almost uniform is written by ids: a selector with exceptions would say more than is known.
//   - A stopped or suspended item gets `protect: stopped`, which keeps it as it is. Soft-deleted items get no
//     rule: any rule would bring them back. Nor does a VM that plan calls unprotectable: a plan would leave it out.
//   - A policy is one entry however many vaults hold it. With [Options].Manage it is managed only where the
//     format can say all of it and every vault holds the same definition; where not, a comment says why.
//   - An export over gaps would leave out what was not read and so is refused by the caller, not here; the
//     comments still name each gap.
package export
