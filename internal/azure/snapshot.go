package azure

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/plan"
)

// estateVersion is the format_version of an estate file.
const estateVersion = "1"

// Snapshot writes the estate of a scope to w as one JSON object: the raw bodies of the reads of [Client.Discover],
// sorted by id, one per line, and the reads that failed, so that a plan over the estate equals one over Azure. It keeps
// no headers, and so no tokens; it leaves out possible secrets in a VM's body. wants, where not nil, returns the
// further reads that a plan needs, which are kept as well. Snapshot returns the gaps. Its errors are those of Discover,
// of w, and of its temporary file.
func (c *Client) Snapshot(ctx context.Context, scope plan.Scope, wants func(plan.Observed) plan.Questions, w io.Writer) ([]plan.Gap, error) {
	rec, err := newRecorder()
	if err != nil {
		return nil, fmt.Errorf("taking a snapshot: %w", err)
	}
	defer rec.close()
	began := c.now()
	scope.Elsewhere, scope.AllVaults, scope.Guards = true, true, true
	scope.Graph = false // its answers are not bodies of VMs
	o, err := c.discover(ctx, scope, rec)
	if err != nil {
		return nil, err
	}
	for round := 0; wants != nil && round < plan.MaxRounds; round++ {
		wanted := wants(o)
		if wanted.IsEmpty() {
			break
		}
		if o, err = c.readDetails(ctx, o, wanted, rec); err != nil {
			return nil, err
		}
	}
	if err := c.recordGroups(ctx, scope.Subscriptions, rec); err != nil {
		return nil, err
	}
	if rec.err != nil {
		return nil, fmt.Errorf("taking a snapshot: %w", rec.err)
	}
	me, err := c.WhoAmI(ctx)
	if err != nil {
		return nil, err
	}
	out := bufio.NewWriterSize(w, 1<<20)
	if err := rec.writeEstate(out, c.ServiceTime(began), me, scope.Subscriptions); err != nil {
		return nil, fmt.Errorf("writing the snapshot: %w", err)
	}
	return o.Gaps, out.Flush()
}

// recordGroups records the resource groups: no plan reads them, but a simulated Azure needs them to create a vault.
func (c *Client) recordGroups(ctx context.Context, subscriptions []string, rec *recorder) error {
	var g errgroup.Group
	g.SetLimit(maxConcurrentReads)
	for _, s := range subscriptions {
		g.Go(func() error {
			defer crash.ExitOnPanic()
			u := c.arm.URL("/subscriptions/"+s+"/resourcegroups", apiSubscriptions)
			type ignored struct{}
			if _, err := listAll[ignored](ctx, c, "listing resource groups of subscription "+s, u, quota.Other, rec.tee("resourceGroups")); err != nil {
				rec.recordFailedRead(err)
			}
			return nil
		})
	}
	_ = g.Wait() // failures are recorded
	return context.Cause(ctx)
}

// writeEstate writes the estate file.
func (r *recorder) writeEstate(w io.Writer, taken time.Time, me arm.Identity, subscriptions []string) error {
	head, err := json.Marshal(struct {
		Version string    `json:"format_version"`
		Taken   time.Time `json:"taken"`
		Cloud   string    `json:"cloud"`
		Tenant  string    `json:"tenant"`
	}{estateVersion, taken.Truncate(time.Second), me.Cloud, me.Tenant})
	if err != nil {
		return err
	}
	if _, err := w.Write(head[:len(head)-1]); err != nil {
		return err
	}
	sections := []string{
		"subscriptions", "managementGroups", "resourceGroups", "virtualMachines", "disks", "storageAccounts", "vaults", "policies", "protectedItems",
		"protectableItems", "jobs", "recoveryPoints", "resourceGuardProxies",
	}
	for _, s := range sections {
		if _, err := fmt.Fprintf(w, ",\n%q:[", s); err != nil {
			return err
		}
		if s == "subscriptions" {
			err = r.writeSubscriptions(w, subscriptions)
		} else {
			err = r.write(w, s)
		}
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, "]"); err != nil {
			return err
		}
	}
	return r.writeFailedReads(w)
}

// writeSubscriptions writes the bodies that were read, then the bare ids of those in the scope that were not.
func (r *recorder) writeSubscriptions(w io.Writer, scope []string) error {
	if err := r.write(w, "subscriptions"); err != nil {
		return err
	}
	n := len(r.bodies["subscriptions"])
	for _, s := range slices.Sorted(slices.Values(scope)) {
		if _, read := r.bodies["subscriptions"][armid.Of("/subscriptions/"+s)]; read {
			continue
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			return err
		}
		if err := writeElement(w, n, quoted); err != nil {
			return err
		}
		n++
	}
	return nil
}

func (r *recorder) writeFailedReads(w io.Writer) error {
	if _, err := io.WriteString(w, ",\n\"refused\":["); err != nil {
		return err
	}
	for i, k := range sortedKeys(r.failedReads) {
		body, err := json.Marshal(r.failedReads[k])
		if err != nil {
			return err
		}
		if err := writeElement(w, i, body); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "],\n\"operations\":[]}\n")
	return err
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	return slices.SortedFunc(maps.Keys(m), func(a, b K) int { return strings.Compare(string(a), string(b)) })
}
