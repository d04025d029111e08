package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/examples/policies"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/internal/export"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

type initFlags struct {
	scopeFlags
	azureFlags
	roleFlags
	policy, out string
	overwrite   bool
}

func (a *app) initCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first config from what is there, or print the least role that commands need",
		Long: "Looks at the subscriptions and writes a first config, with comments: the vaults and policies that there are, a rule for\n" +
			"what is backed up, and what is not as commented rules to decide on. The first plan with it has nothing to do. On a\n" +
			"terminal it asks what the flags leave open. A file that exists is not written over unasked. Sends nothing but reads.\n\n" +
			"With --role it prints a custom role that allows what the commands send to Azure and nothing else:\n\n" +
			"  azbackup init --role plan,audit --subscription ID > role.json\n" +
			"  az role definition create --role-definition @role.json\n\n" +
			"Some rights are needed on one vault or one group only. --at SCOPE prints the part that is assigned there; without it\n" +
			"the role has all of them, and stderr says which part is needed where.",
		Args: withUsageError(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(f.commands) > 0 {
				return a.printRole(f)
			}
			return a.init(cmd.Context(), f)
		},
	}
	f.scopeFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.roleFlags.addFlags(cmd)
	cmd.Flags().StringVar(&f.policy, "policy", "", "bring the policy `NAME` along: "+strings.Join(policies.Names(), ", "))
	cmd.Flags().StringVar(&f.out, "out", config.DefaultFile, "write to `FILE`; - is stdout")
	cmd.Flags().BoolVar(&f.overwrite, "overwrite", false, "write over a file that exists")
	return cmd
}

// init writes a first config.
func (a *app) init(ctx context.Context, f initFlags) (err error) {
	switch {
	case f.at != "":
		return usageError("--at goes with --role")
	case len(f.files) > 0:
		return usageError("-f goes with --role: --out names the file that is written")
	}
	if err := a.mayWrite(ctx, f); err != nil {
		return err
	}
	starter, err := starterOf(f.policy)
	if err != nil {
		return err
	}
	c := &config.Config{Cloud: config.Cloud{Name: arm.AzurePublic}}
	if len(f.subscriptions) == 0 {
		c.Files, c.SubscriptionQuery = []string{"init"}, &config.SubscriptionQuery{} // all that the identity sees
	}
	s, err := a.connect(ctx, azure.CommandExport, f.azureFlags, c.Cloud, c.Tenant)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	_, scope, err := f.resolve(ctx, a, s, c)
	if err != nil {
		return err
	}
	if scope, err = a.chooseSubscriptions(ctx, f, scope); err != nil {
		return err
	}
	if starter == nil && a.isAsking() {
		if starter, err = a.askStarter(ctx); err != nil {
			return err
		}
	}
	scope.AllVaults, scope.Elsewhere, scope.Protectable = true, true, false
	o, err := a.observe(ctx, s, scope)
	if err != nil {
		return err
	}
	a.exitConditions[exitIncomplete] = len(o.Gaps) > 0
	a.warnOfGaps(o.Gaps, "the config says nothing about it")
	text, undecided, err := export.FirstFile(o, export.Options{Cloud: c.Cloud, Subscriptions: scope.Subscriptions}, starter)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { _, err := w.Write(text); return err }
	if f.out == stdoutName {
		return write(a.Out)
	}
	if err := writeFile(f.out, write); err != nil {
		return err
	}
	a.log.Info(report.Line(f.out)+" is written: "+report.FormatCount(undecided, "VM")+" to decide on; the first plan with it has nothing to do",
		"file", f.out, "undecided", undecided)
	return nil
}

// mayWrite returns an error where the file exists and neither a flag nor the operator allows that it is overwritten.
func (a *app) mayWrite(ctx context.Context, f initFlags) error {
	if f.out == stdoutName || f.overwrite {
		return nil
	}
	if _, err := os.Lstat(f.out); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	refused := withHint(fmt.Errorf("%q exists", f.out), "--overwrite writes over it, --out names another file, --out - prints")
	if !a.isAsking() {
		return refused
	}
	answer, err := a.ask(ctx, report.Line(f.out)+" exists. Write over it? Only yes is taken for yes: ")
	if err == nil && answer != "yes" {
		return refused
	}
	return err
}

func starterOf(name string) (*export.Starter, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // none is wanted
	}
	entry, err := policies.Entry(name)
	if err != nil {
		return nil, usageError("--policy %w", err)
	}
	return &export.Starter{Name: name, Entry: entry}, nil
}

// chooseSubscriptions asks the operator which of several subscriptions the config is for, where no flag names them.
func (a *app) chooseSubscriptions(ctx context.Context, f initFlags, scope plan.Scope) (plan.Scope, error) {
	if len(f.subscriptions) > 0 || len(scope.Subscriptions) < 2 || !a.isAsking() {
		return scope, nil
	}
	for i, id := range scope.Subscriptions {
		fmt.Fprintf(a.Err, "%3d  %s\n", i+1, report.Line(id))
	}
	answer, err := a.ask(ctx, "Which subscriptions? Their numbers, or nothing for all: ")
	if err != nil || answer == "" {
		return scope, err
	}
	var chosen []string
	for _, word := range strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > len(scope.Subscriptions) {
			return scope, fmt.Errorf("%q is not a number from 1 to %d", word, len(scope.Subscriptions))
		}
		if id := scope.Subscriptions[n-1]; !slices.Contains(chosen, id) {
			chosen = append(chosen, id)
		}
	}
	scope.Subscriptions, scope.Found = chosen, nil
	return scope, nil
}

func (a *app) askStarter(ctx context.Context) (*export.Starter, error) {
	answer, err := a.ask(ctx, "A policy to start from ("+strings.Join(policies.Names(), ", ")+"), or nothing for none: ")
	if err != nil {
		return nil, err
	}
	return starterOf(answer)
}

// isAsking reports whether the command may ask questions: stdin and stderr are a terminal.
func (a *app) isAsking() bool { return a.InTerminal && a.ErrTerminal }

// ask asks the operator for a line; an end of input is an empty answer.
func (a *app) ask(ctx context.Context, question string) (string, error) {
	if a.answers == nil {
		a.answers = bufio.NewReader(a.In)
	}
	fmt.Fprint(a.Err, question)
	answer := make(chan string, 1)
	go func() {
		defer crash.ExitOnPanic()
		line, _ := a.answers.ReadString('\n') // an end of input is an empty answer
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case line := <-answer:
		return line, nil
	}
}
