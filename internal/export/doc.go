// Package export turns what exists into a config that reproduces it: `plan` over the exported file has
// nothing to do, and after any later change to the estate it shows exactly that change.
//
// Export is pure: observed in, a config value and its comments out; the config room writes the YAML.
//
// Decisions:
//   - There is a rule for each vault, policy, disk filter and resource group, as a person would write it. It names its
//     machines; ids are for names that a selector cannot say. The file is a third of one by ids, and a machine that
//     moved or went leaves a shorter list, not a rule about nothing.
//   - A rule is for a whole resource group, or with `tag:NAME` for a whole tag value, only where that is exactly the same
//     set: two machines or more, all of them treated alike, among all that were read. An almost uniform group is written
//     by names: a pattern with exceptions would say more than is known. Nor is a group written whole that has backup data
//     of a machine that was not seen, because who sees more would find that machine under the rule, nor anything of a
//     subscription with a gap. Rules that stop never are: they would stop what somebody makes and backs up there later.
//     A comment says what a rule without names means for machines to come.
//   - A rule by names says its subscription only where another subscription has a group and a machine of the same names.
//     Should that come later, the plan blocks that machine, because the vault that the rule names is elsewhere.
//   - Every item that is active stands under a rule that names its vault, its policy and its disks, also
//     when it has no disk filter (`disks: all`): only what a rule says is watched.
//   - A stopped or suspended item gets `protect: stopped`, which keeps it as it is. Soft-deleted items get no
//     rule: any rule would bring them back. Nor does a VM that plan calls unprotectable: a plan would leave it out.
//   - A policy is one entry however many vaults hold it. With [Options].Manage it is managed only where the
//     format can say all of it and every vault holds the same definition; where not, a comment says why.
//   - An export over gaps would leave out what was not read and so is refused by the caller, not here; the
//     comments still name each gap.
package export
