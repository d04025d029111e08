package cli

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/azbackup/azbackup/config"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure"
	"github.com/azbackup/azbackup/internal/report"
	"github.com/azbackup/azbackup/plan"
)

type pointsFlags struct {
	scopeFlags
	azureFlags
	outputFlags
}

func (a *app) pointsCommand() *cobra.Command {
	var f pointsFlags
	cmd := &cobra.Command{
		Use:   "points VM…",
		Short: "Show recovery points, and which of them can be restored now",
		Long: "Lists the recovery points of each VM, given by name, RESOURCEGROUP/NAME or resource id, newest first. A VM that does not\n" +
			"exist any more is found by its backup. See azbackup help recovery-points. Sends nothing but reads.\n\n" +
			"Exit codes: 0 all was read; 5 something could not be read.",
		Args: withUsageError(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.points(cmd.Context(), f, args) },
	}
	f.scopeFlags.addFlags(cmd)
	f.azureFlags.addFlags(cmd)
	f.outputFlags.addFlags(cmd, report.PointsFormats())
	return cmd
}

func (a *app) points(ctx context.Context, f pointsFlags, names []string) (err error) {
	if err := f.validate(); err != nil {
		return err
	}
	c, scope, s, err := a.connectForVMs(ctx, azure.CommandPoints, f.scopeFlags, f.azureFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	o, vms, err := a.observeVMs(ctx, s, scope, "looking for the recovery points of", names)
	if err != nil {
		return err
	}
	var items []plan.Item
	for _, vm := range vms {
		items = append(items, itemsOf(o, vm)...)
	}
	read, err := s.Points(ctx, items, s.Now().Add(-plan.RestoreJobsReach))
	if err != nil {
		return err
	}
	p := pointsReport(c, o, vms, read, plan.Options{Now: s.Now()})
	a.exitConditions[exitIncomplete] = len(p.Gaps) > 0
	return f.write(a.Out, func(w io.Writer, format string) error {
		return report.WritePoints(w, format, p, a.styleFor(w, false))
	})
}

// pointsReport returns the report of the reads: an entry for each item of each VM, and one for a VM without items.
func pointsReport(c *config.Config, o plan.Observed, vms []string, read azure.PointReading, opt plan.Options) report.Points {
	out := report.Points{Now: opt.Now, Gaps: slices.Concat(o.Gaps, read.Gaps), Subscriptions: namesOf(o)}
	prunedEarlier := plan.PointsPrunedEarlier(c, o, opt)
	for _, vm := range vms {
		same := func(id string) bool { return armid.Same(id, vm) }
		gone := slices.ContainsFunc(o.Missing, same)
		unseen := !gone && !slices.ContainsFunc(o.VMs, func(v plan.VM) bool { return same(v.ID) })
		entries := 0
		for _, of := range read.Items {
			if !same(of.Item.VM) {
				continue
			}
			entries++
			v := report.VMPoints{VM: vm, Gone: gone, Unseen: unseen, Item: &of.Item, Read: of.Read}
			for _, p := range of.Points {
				point := report.Point{RecoveryPoint: p, MayBePrunedEarlier: !p.Time.IsZero() && prunedEarlier(of.Item.ID, p.Time)}
				if proof, ok := p.ProvenBy(of.Item, read.Restores); ok {
					point.Proof = &proof
				}
				v.Points = append(v.Points, point)
			}
			out.VMs = append(out.VMs, v)
		}
		if entries == 0 {
			out.VMs = append(out.VMs, report.VMPoints{VM: vm, Gone: gone, Unseen: unseen, Read: true})
		}
	}
	return out
}
