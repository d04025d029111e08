package azure

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/plan"
)

// readers bounds the reads of one discovery that are in flight.
const readers = 16

// Discover reads what a plan needs to know (docs/design.md §4). What could not be read is in the gaps of the result.
// An error means that nothing could be: [SignInError] when Azure lets us in nowhere, or the context's cause.
func (c *Client) Discover(ctx context.Context, scope plan.Scope) (plan.Observed, error) {
	return c.discover(ctx, scope, nil)
}

func (c *Client) discover(ctx context.Context, scope plan.Scope, rec *recorder) (plan.Observed, error) {
	d := newDiscovery(c, scope, rec)
	// Each step needs what the one before it found.
	for _, step := range []func() []read{
		d.lists, d.fileVaults, d.elsewhere, d.checks,
	} {
		if err := d.run(ctx, step()); err != nil {
			return plan.Observed{}, err
		}
	}
	return d.result(), nil
}

// discovery is one run of Discover. Its maps are written by the reads, under mu, and read between the steps.
type discovery struct {
	c     *Client
	scope plan.Scope
	rec   *recorder // nil but for a snapshot

	mu      sync.Mutex
	out     plan.Observed
	seen    map[armid.Key]seenVM
	absent  map[armid.Key]bool // vaults of the file that do not exist
	good    int                // reads that were answered
	denied  []*apply.Error     // 401 and 403
	failed  int                // all reads that were not answered well
	signIn  *SignInError
	allVMs  map[string]bool // subscriptions whose VM list was read
	foreign []plan.Vault
}

// seenVM is what is known of a VM that a list or an item names.
type seenVM struct {
	id     string // as the list spells it; "" = no list did
	read   bool
	unread bool // only its id may be relied on
	held   bool // it has an item that is not soft-deleted
}

func newDiscovery(c *Client, scope plan.Scope, rec *recorder) *discovery {
	return &discovery{c: c, scope: scope, rec: rec, seen: map[armid.Key]seenVM{}, absent: map[armid.Key]bool{}, allVMs: map[string]bool{}}
}

// read is one list or document; its errors become gaps by itself.
type read func(context.Context)

func (d *discovery) run(ctx context.Context, reads []read) error {
	var g errgroup.Group
	g.SetLimit(readers)
	for _, r := range reads {
		g.Go(func() error {
			defer crash.ExitOnPanic()
			if ctx.Err() == nil && !d.signedOut() {
				r(ctx)
			}
			return nil
		})
	}
	_ = g.Wait() // reads return no errors
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return d.signedIn()
}

// signedOut says that no token is to be had, so that asking further is vain.
func (d *discovery) signedOut() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.signIn != nil
}

// signedIn is the error for an Azure that lets us read nothing at all.
func (d *discovery) signedIn() error {
	if d.signIn != nil {
		return d.signIn
	}
	if d.good > 0 || len(d.denied) == 0 || len(d.denied) < d.failed {
		return nil
	}
	first := slices.MinFunc(d.denied, func(a, b *apply.Error) int { return strings.Compare(a.Op, b.Op) })
	return &SignInError{
		Message:   "every read was refused, the first with " + firstOf(first.Code, http.StatusText(first.Status)) + ": " + first.Message,
		RequestID: first.RequestID, Err: first,
	}
}

// fail turns a failed read into a gap.
func (d *discovery) fail(ctx context.Context, where plan.Gap, err error) {
	if ctx.Err() != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := errors.AsType[*SignInError](err); ok {
		d.signIn = s
		return
	}
	d.rec.refused(err)
	d.failed++
	if e, ok := errors.AsType[*apply.Error](err); ok && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		d.denied = append(d.denied, e)
	}
	d.out.Gaps = append(d.out.Gaps, asGap(where, err))
}

// got notes a read that was answered, a 404 that means absence included, and adds what it brought.
func (d *discovery) got(add func(*plan.Observed)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.good++
	add(&d.out)
}

// lists reads what is read per subscription, and the vaults of the file.
func (d *discovery) lists() []read {
	var reads []read
	if d.scope.AllVaults {
		reads = append(reads, d.subscriptions)
	}
	if d.scope.Graph {
		reads = append(reads, d.graphVMs)
	}
	for _, s := range d.scope.Subscriptions {
		if !d.scope.Graph {
			reads = append(reads, func(ctx context.Context) { d.listVMs(ctx, s) })
		}
		if d.scope.Elsewhere || d.scope.AllVaults {
			reads = append(reads, func(ctx context.Context) { d.listVaults(ctx, s) })
		}
	}
	for _, v := range d.scope.Vaults {
		reads = append(reads, func(ctx context.Context) { d.getVault(ctx, v) })
	}
	return reads
}

// fileVaults reads what lies in the vaults of the file, and the VMs of id rules that no list showed.
func (d *discovery) fileVaults() []read {
	var reads []read
	locations := map[armid.Key]string{}
	for _, v := range d.out.Vaults {
		locations[armid.Of(v.ID)] = v.Location
	}
	for _, ref := range d.scope.Vaults {
		if d.absent[armid.Of(ref.ID)] {
			continue
		}
		// A vault that could not be read may still let its lists be read.
		v := plan.Vault{ID: ref.ID, Location: firstOf(locations[armid.Of(ref.ID)], ref.Location)}
		reads = append(reads,
			func(ctx context.Context) {
				// Jobs first: what no longer runs then has left its mark on the items read after. The other way round an
				// operation that ends in between is seen neither running nor done, and would be asked for again.
				d.listJobs(ctx, v)
				d.listItems(ctx, v)
			},
			func(ctx context.Context) { d.listPolicies(ctx, v) })
		if d.scope.Guards {
			reads = append(reads, func(ctx context.Context) { d.listGuards(ctx, v) })
		}
	}
	if d.scope.AllVaults {
		for _, v := range d.foreign {
			reads = append(reads,
				func(ctx context.Context) { d.listItems(ctx, v) },
				func(ctx context.Context) { d.listPolicies(ctx, v) })
		}
	}
	for _, id := range d.scope.VMs {
		if !d.seen[armid.Of(id)].read {
			reads = append(reads, func(ctx context.Context) { d.getVM(ctx, id) })
		}
	}
	return reads
}

// result sorts what was found: the order of answers must not show.
func (d *discovery) result() plan.Observed {
	o := d.out
	o.VMs = slices.DeleteFunc(o.VMs, func(v plan.VM) bool { return v.Unreadable != "" && d.seen[armid.Of(v.ID)].read }) // read since
	slices.Sort(o.Notes)
	o.Notes = slices.Compact(o.Notes)
	slices.Sort(o.Taken)
	sortByID(o.VMs, func(v plan.VM) string { return v.ID })
	sortByID(o.Vaults, func(v plan.Vault) string { return v.ID })
	sortByID(o.Policies, func(p plan.Policy) string { return p.ID })
	sortByID(o.Items, func(i plan.Item) string { return i.ID })
	sortByID(o.Jobs, func(j plan.Job) string { return j.ID })
	sortByID(o.Missing, func(s string) string { return s })
	sortByID(o.Subscriptions, func(s plan.Subscription) string { return s.ID })
	sortByID(o.Protectable, func(p plan.Protectable) string { return p.Subscription + "/" + p.Location })
	sortGaps(o.Gaps)
	o.Gaps = slices.CompactFunc(o.Gaps, func(a, b plan.Gap) bool { // one a subscription
		return a.Kind == plan.GapVisibility && b.Kind == a.Kind && a.Subscription == b.Subscription
	})
	return o
}

func sortGaps(gaps []plan.Gap) {
	slices.SortFunc(gaps, func(a, b plan.Gap) int { return strings.Compare(gapKey(a), gapKey(b)) })
}

func gapKey(g plan.Gap) string {
	return strings.Join([]string{
		string(g.Kind), string(armid.Of(g.Subscription)), string(armid.Of(g.Vault)), string(armid.Of(g.Target)), g.Code, g.Message,
	}, "\x00")
}

func sortByID[T any](list []T, id func(T) string) {
	slices.SortStableFunc(list, func(a, b T) int { return cmp.Or(armid.Compare(id(a), id(b)), strings.Compare(id(a), id(b))) })
}
