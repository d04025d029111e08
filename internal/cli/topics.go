package cli

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// topics returns the pages of `azbackup help` that are not commands.
func (a *app) topics() []*cobra.Command {
	return []*cobra.Command{
		topic("exit-codes", "What the exit codes mean", exitCodesTopic()),
		topic("guards", "What a plan is refused for, and the flags that lift it", guardsTopic()),
		topic("permissions", "What the identity has to be allowed", permissionsTopic()),
		topic("rules", "What a config is checked against", rulesTopic()),
		topic("recovery-points", "What a recovery point is, and which can be restored", pointsTopic()),
		topic("findings", "What audit can find, by code, and what to do", findingsTopic()),
		topic("errors", "What Azure's error codes mean for you", errorsTopic()),
		topic("selectors", "How rules and --only select machines", selectorsTopic()),
		topic("restoring", "How machines come back", restoreTopic()),
		topic("costs", "What plan --prices estimates, and what it leaves out", costsTopic()),
		topic("telemetry", "What is sent to an OpenTelemetry collector", telemetryTopic()),
		topic("signin", "Which identity is used", signInTopic()),
	}
}

// topic returns a page of help: cobra shows a command that cannot be run under "additional help topics".
func topic(name, short, page string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, Long: page}
}

func exitCodesTopic() string {
	var b strings.Builder
	b.WriteString("Exit codes, the first that holds:\n\n")
	for _, c := range exitCodes() {
		fmt.Fprintf(&b, "  %3d  %s\n", c.code, c.means)
	}
	b.WriteString("\nA code that is not listed is a failure too.")
	return b.String()
}

func guardsTopic() string {
	var b strings.Builder
	b.WriteString("Before the first write the whole plan is judged by every guard, and each guard looks at all the risks of a change,\n" +
		"not at the worst alone. A flag lifts its own guard and no other.\n")
	for _, g := range plan.Guards() {
		fmt.Fprintf(&b, "\n%s\n  %s\n  %s\n", g.Name, g.Flag, g.Help)
	}
	return strings.TrimRight(b.String(), "\n")
}

func rulesTopic() string {
	var b strings.Builder
	b.WriteString("A message about the config ends with the name of the rule that it breaks, in brackets.\n")
	for _, r := range config.Codes() {
		fmt.Fprintf(&b, "\n%s\n", r.Name)
		for line := range strings.SplitSeq(text.WrapSoft(r.Help, topicWidth), "\n") {
			fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(line))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// pointsTopic explains the output of azbackup points. The words are those of its columns and of its JSON.
func pointsTopic() string {
	return strings.TrimSpace(`
A recovery point is a backup at a time. azbackup points lists them, newest first.

consistency
  application  databases and files were quiesced; file system  files were; crash  as after a power cut

tiers
  snapshot  beside the disks (InstantRP): restored in minutes, kept for the days of instant restore
  vault     copied into the vault (HardenedRP): restored in as long as the copy takes
  archive   moved out of the vault's standard tier (ArchivedRP): needs rehydration, hours to a day, before a restore

restored now
  ✓ A point with a valid snapshot or vault tier, or one that was rehydrated.
  ✗ Anything else, with the reason. A point of which not all was understood is never called restorable.

proven
  A Restore job that ended Completed and names the point's time. Azure keeps jobs for months, not for ever: a point that
  was proven long ago may be shown without its proof.

may be pruned earlier
  The file keeps points for less long than today's policy does. Which points a weekly, monthly or yearly retention selected
  is in no list, so this names every point that may go.

JSON
  {"format_version", "vms": [{"id", "vault", "item", "state", "exists", "read", "points": [{"name", "id", "time", "age_seconds",
  "consistency", "tiers": [{"type", "status"}], "disks": {"held", "attached", "included": [{"lun", "name"}], "excluded"},
  "expires", "restorable", "restored_from", "why_not", "proven_by", "proven_at", "may_be_pruned_earlier"}]}], "gaps"}
  null is what the service did not say: tiers that are null are not known, disks that are null are all of them, as far as is
  known; exists is null for a VM in no list. The OS disk has lun -1.
`)
}

// topicWidth is the width of a topic's prose, in columns.
const topicWidth = 96
