package cli

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/plan"
)

// topics are the pages of `azbackup help` that are no commands.
func (a *app) topics() []*cobra.Command {
	return []*cobra.Command{
		topic("exit-codes", "What the exit codes mean", exitCodesTopic()),
		topic("guards", "What a plan is refused for, and the flags that lift it", guardsTopic()),
		topic("rules", "What a config is checked against", rulesTopic()),
		topic("findings", "What audit can find, by code, and what to do", findingsTopic()),
	}
}

// topic is a page of help: cobra shows a command that cannot be run under "additional help topics".
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
	for _, r := range config.Rules() {
		fmt.Fprintf(&b, "\n%s\n", r.Name)
		for line := range strings.SplitSeq(text.WrapSoft(r.Help, topicWidth), "\n") {
			fmt.Fprintf(&b, "  %s\n", strings.TrimSpace(line))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// topicWidth is how wide the prose of a topic is.
const topicWidth = 96
