package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"
	_ "time/tzdata" // a container may have no time zones

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

type explainFlags struct {
	configFlags
	azureFlags
	outputFlags
}

func (a *app) explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain VM",
		Short: "Say which rule decides about a VM, what it has now, and what would happen next",
		Long:  "VM is a name, RESOURCEGROUP/NAME, or a resource id. Sends nothing but reads.",
		Args:  withUsageError(cobra.ExactArgs(1)),
		RunE:  func(cmd *cobra.Command, args []string) error { return a.explain(cmd.Context(), f, args[0]) },
	}
	f.configFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.outputFlags.addFlags(cmd, report.ExplainFormats())
	return cmd
}

func (a *app) explain(ctx context.Context, f explainFlags, vm string) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	c, err := a.loadConfig(f.configFlags)
	if err != nil {
		return err
	}
	s, err := a.connect(ctx, azure.CommandExplain, f.azureFlags, c.Cloud, c.Tenant)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	c, scope, err := a.findScope(ctx, s, c)
	if err != nil {
		return err
	}
	scope.Guards = true // a guard may block what would happen next
	o, err := a.observe(ctx, s, scope)
	if err != nil {
		return err
	}
	a.exitConditions[exitIncomplete] = len(o.Gaps) > 0
	options := plan.Options{Now: s.Now(), Zone: loadZone}
	if len(c.RestoreTests) > 0 { // the last restore of the VM decides when its next test is due
		_, o, err = plan.MakeAsking(c, o, options, func(o plan.Observed, w plan.Questions) (plan.Observed, error) {
			return s.ReadDetails(ctx, o, plan.Questions{Tests: w.Tests})
		})
		if err != nil {
			return err
		}
	}
	a.exitConditions[exitIncomplete] = len(o.Gaps) > 0
	e, err := plan.Explain(c, o, vm, options)
	if err != nil {
		return withCandidates(o, err)
	}
	return f.write(a.Out, func(w io.Writer, format string) error {
		return report.WriteExplain(w, format, e, a.styleFor(w, false))
	})
}

// withCandidates adds the VMs that a name fits as hints to a [*plan.AmbiguousError]; any other error it returns as it is.
func withCandidates(o plan.Observed, err error) error {
	ambiguous, ok := errors.AsType[*plan.AmbiguousError](err)
	if !ok {
		return err
	}
	return withHint(err, describeCandidates(o, ambiguous.VMs)...)
}

// describeCandidates describes VMs that an ambiguous name fits, one a line.
func describeCandidates(o plan.Observed, vms []string) (lines []string) {
	name := report.Namer(namesOf(o), slices.Values(vms))
	for _, id := range vms {
		lines = append(lines, name(id)+"  "+report.Line(id))
	}
	return lines
}

// loadZone loads a time zone by its Windows name; nil where this system has none.
func loadZone(windows string) *time.Location {
	name, ok := config.IANAZone(windows)
	if !ok {
		name = windows // UTC
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return location
}
