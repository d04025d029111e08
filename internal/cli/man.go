package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manCommand returns the command that writes the manual. It is hidden: packages contain the pages, and only the build of
// packages needs the command.
//
// The generator of cobra was rejected: it takes help texts for Markdown, which eats "*" and joins lists, leaves the
// topics out, and stamps each page with a date.
func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write the manual pages to a folder",
		Long:   "Writes azbackup.1, a page of section 1 for each command, and one of section 7 for each topic of azbackup help.",
		Hidden: true,
		Args:   withUsageError(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			build, _ := debug.ReadBuildInfo()
			day, _, _ := strings.Cut(describeBuild(a.Version, build).CommitDate, "T")
			return errors.Join(os.MkdirAll(args[0], 0o755), writeManual(args[0], a.Version, day, cmd.Root()))
		},
	}
}

// writeManual writes the page of cmd and those of all commands below it to dir; date is that of the pages, or "".
func writeManual(dir, version, date string, cmd *cobra.Command) error {
	if cmd.Hidden || cmd.Name() == "help" {
		return nil
	}
	cmd.InitDefaultHelpFlag()
	page := manPage(cmd, version, date)
	name := fmt.Sprintf("%s.%d", manName(cmd), manSection(cmd))
	err := writeFile(filepath.Join(dir, name), func(w io.Writer) error { _, err := io.WriteString(w, page); return err })
	for _, sub := range cmd.Commands() {
		err = errors.Join(err, writeManual(dir, version, date, sub))
	}
	return err
}

func manName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manSection returns 1 for commands and 7 for topics, which cannot be run.
func manSection(cmd *cobra.Command) int {
	if cmd.IsAdditionalHelpTopicCommand() {
		return 7
	}
	return 1
}

// manPage returns the page of a command in the language of man(7). Its date is that of the commit, or none: the page of a
// version is always the same.
func manPage(cmd *cobra.Command, version, date string) string {
	var b strings.Builder
	name := manName(cmd)
	fmt.Fprintf(&b, ".TH %q %d %q %q \"azbackup manual\"\n.SH NAME\n%s \\- %s\n", strings.ToUpper(name), manSection(cmd), date,
		"azbackup "+version, roff(name), roff(cmd.Short))
	if manSection(cmd) == 7 {
		b.WriteString(".SH DESCRIPTION\n.nf\n" + roff(cmd.Long) + "\n.fi\n")
	} else {
		b.WriteString(".SH SYNOPSIS\n.B " + roff(cmd.CommandPath()) + "\n" + roff(synopsis(cmd)) + "\n")
		description, codes, _ := strings.Cut(cmd.Long, "Exit codes: ")
		b.WriteString(".SH DESCRIPTION\n" + manText(firstNonEmpty(description, cmd.Short+".")))
		writeManFlags(&b, "OPTIONS", cmd.NonInheritedFlags())
		writeManFlags(&b, "OPTIONS OF ALL COMMANDS", cmd.InheritedFlags())
		if codes != "" {
			b.WriteString(".SH EXIT STATUS\n" + manText(codes))
		} else if !cmd.HasParent() {
			b.WriteString(".SH EXIT STATUS\n.nf\n" + roff(exitCodesTopic()) + "\n.fi\n")
		}
	}
	writeManLinks(&b, cmd)
	return b.String()
}

func firstNonEmpty(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

// synopsis returns what follows the name of a command.
func synopsis(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() && !cmd.HasParent() {
		return "COMMAND [flags]"
	}
	_, arguments, _ := strings.Cut(cmd.Use, " ")
	return strings.TrimSpace(arguments + " [flags]")
}

// manText returns prose as paragraphs; a paragraph with an indented line keeps its lines.
func manText(text string) string {
	var b strings.Builder
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		if strings.HasPrefix(paragraph, "  ") || strings.Contains(paragraph, "\n  ") || strings.HasPrefix(paragraph, "\t") {
			b.WriteString(".nf\n" + roff(paragraph) + "\n.fi\n")
		} else {
			b.WriteString(roff(paragraph) + "\n")
		}
	}
	return b.String()
}

func writeManFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	b.WriteString(".SH " + title + "\n")
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		b.WriteString(".TP\n")
		if f.Shorthand != "" {
			fmt.Fprintf(b, "\\fB%s\\fR, ", roff("-"+f.Shorthand))
		}
		fmt.Fprintf(b, "\\fB%s\\fR", roff("--"+f.Name))
		if value != "" {
			fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
		}
		if hasManDefault(f) {
			usage += " (default: " + f.DefValue + ")"
		}
		b.WriteString("\n" + roff(usage) + "\n")
	})
}

// hasManDefault reports whether the default of a flag is worth printing.
func hasManDefault(f *pflag.Flag) bool {
	switch f.DefValue {
	case "", "false", "[]", "0", "0s":
		return false
	}
	return true
}

// writeManLinks writes SEE ALSO: the commands above and below, and from the main page the topics.
func writeManLinks(b *strings.Builder, cmd *cobra.Command) {
	var links []string
	add := func(to *cobra.Command) {
		if !to.Hidden && to.Name() != "help" {
			links = append(links, fmt.Sprintf("\\fB%s\\fR(%d)", roff(manName(to)), manSection(to)))
		}
	}
	if cmd.HasParent() {
		add(cmd.Parent())
		for _, topic := range cmd.Root().Commands() {
			if topic.IsAdditionalHelpTopicCommand() && strings.Contains(cmd.Long, "azbackup help "+topic.Name()) {
				add(topic)
			}
		}
	}
	for _, sub := range cmd.Commands() {
		add(sub)
	}
	if len(links) > 0 {
		b.WriteString(".SH SEE ALSO\n" + strings.Join(links, ",\n") + "\n")
	}
}

// roff escapes a text so that man(7) shows it unchanged.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...").Replace(strings.TrimRight(text, "\n"))
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
