package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// topics are the pages of `azbackup help` that are no commands.
func (a *app) topics() []*cobra.Command {
	return []*cobra.Command{
		topic("exit-codes", "What the exit codes mean", exitCodesTopic()),
		topic("findings", "What audit can find, by code, and what to do", findingsTopic()),
	}
}

// topic is a page of help: cobra shows a command that cannot be run under "additional help topics".
func topic(name, short, text string) *cobra.Command {
	return &cobra.Command{Use: name, Short: short, Long: text}
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
