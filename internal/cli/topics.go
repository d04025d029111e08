package cli

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/apply"
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

// topicWidth is the width of a topic's prose, in columns.
const topicWidth = 96
