package azure

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/crash"
	"github.com/azbackup/azbackup/plan"
)

// Tunable: maxConcurrentReads is how many reads of one discovery may be in flight.
const maxConcurrentReads = 16

// Discover reads the resources that a plan needs (docs/design.md §4). A read that fails is a gap of the result. An
// error means that there is no result: an [*arm.SignInError] where the sign-in failed or Azure refused every read, or
// the context's cause.
func (c *Client) Discover(ctx context.Context, scope plan.Scope) (plan.Observed, error) {
	return c.discover(ctx, scope, nil)
}

func (c *Client) discover(ctx context.Context, scope plan.Scope, rec *recorder) (plan.Observed, error) {
	d := newDiscovery(c, scope, rec)
	// Each step needs the results of all reads before it.
	for _, step := range []func() []readTask{
		d.subscriptionTasks, d.unreadTasks, d.otherVaultTasks, d.checkTasks,
	} {
		if err := d.run(ctx, step()); err != nil {
			return plan.Observed{}, err
		}
	}
	return d.sortedResult(), nil
}

// discovery is one run of Discover. Its maps are written by the reads, under mu, and read between the steps.
type discovery struct {
	c     *Client
	scope plan.Scope
	rec   *recorder // nil unless for a snapshot

	mu                sync.Mutex
	fileVaults        map[armid.Key]plan.VaultRef // those of the scope
	listableVaults    map[string][]plan.VaultRef  // those that the vault list of their subscription may make known
	followers         []readTask                  // reads that depend on a read that has ended, not started yet
	out               plan.Observed
	newVMs            [][]plan.VM   // lists that were read; [discovery.join] adds them to out
	newItems          [][]plan.Item // as newVMs
	seen              *seenVMs
	successes         int            // reads that were answered
	denied            []*apply.Error // 401 and 403
	failures          int            // all reads that failed
	signInErr         *arm.SignInError
	allVMs            map[string]bool // subscriptions whose VM list was read
	vaultsOutsideFile []plan.Vault
	unreadVaults      []plan.VaultRef // of the file
}

func newDiscovery(c *Client, scope plan.Scope, rec *recorder) *discovery {
	d := &discovery{
		c: c, scope: scope, rec: rec, seen: newSeenVMs(), allVMs: map[string]bool{}, fileVaults: map[armid.Key]plan.VaultRef{},
		listableVaults: map[string][]plan.VaultRef{},
	}
	for _, v := range scope.Vaults {
		d.fileVaults[armid.Of(v.ID)] = v
	}
	if scope.Found != nil {
		d.out.Subscriptions, d.out.Gaps = slices.Clone(scope.Found.Visible), slices.Clone(scope.Found.Gaps)
		c.recordSearch(rec)
	}
	return d
}

// readTask reads one list or document; it records its own errors as gaps.
type readTask func(context.Context)

// run starts reads in their order, and then those that follow from them ([discovery.follow]), and waits for all.
func (d *discovery) run(ctx context.Context, reads []readTask) error {
	running, done := 0, make(chan struct{})
	for len(reads) > 0 || running > 0 {
		for ; len(reads) > 0 && running < maxConcurrentReads; running++ {
			read := reads[0]
			reads = reads[1:]
			go func() {
				defer crash.ExitOnPanic()
				if ctx.Err() == nil && !d.hasAuthFailed() {
					read(ctx)
				}
				done <- struct{}{}
			}()
		}
		<-done
		running--
		reads = append(reads, d.takeFollowers()...)
	}
	d.join()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return d.authError()
}

// join adds the lists of VMs and items that were read to the result. They are most of the result, so they are joined
// once and not appended one by one.
func (d *discovery) join() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out.VMs, d.newVMs = joinLists(d.out.VMs, d.newVMs), nil
	d.out.Items, d.newItems = joinLists(d.out.Items, d.newItems), nil
}

// joinLists returns all with the lists appended, without spare room. It releases each list as soon as it was copied.
func joinLists[T any](all []T, lists [][]T) []T {
	n := len(all)
	for _, l := range lists {
		n += len(l)
	}
	if n == len(all) {
		return all
	}
	joined := append(make([]T, 0, n), all...)
	for i, l := range lists {
		joined = append(joined, l...)
		lists[i] = nil
	}
	return joined
}

// follow adds reads that need the result of the calling read only, not of all others.
func (d *discovery) follow(reads ...readTask) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.followers = append(d.followers, reads...)
}

func (d *discovery) takeFollowers() []readTask {
	d.mu.Lock()
	defer d.mu.Unlock()
	taken := d.followers
	d.followers = nil
	return taken
}

// hasAuthFailed reports whether authentication failed, so that the remaining reads are skipped.
func (d *discovery) hasAuthFailed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.signInErr != nil
}

// authError returns the error where the sign-in failed or Azure refused every read, else nil.
func (d *discovery) authError() error {
	if d.signInErr != nil {
		return d.signInErr
	}
	if d.successes > 0 || len(d.denied) == 0 || len(d.denied) < d.failures {
		return nil
	}
	first := slices.MinFunc(d.denied, func(a, b *apply.Error) int { return strings.Compare(a.Op, b.Op) })
	return &arm.SignInError{
		Message:   "every read was refused, the first with " + cmp.Or(first.Code, http.StatusText(first.Status)) + ": " + first.Message,
		RequestID: first.RequestID, Err: first,
	}
}

// recordGap records a failed read as a gap. A failed sign-in, and a read that ctx ended, are no gaps.
func (d *discovery) recordGap(ctx context.Context, where plan.Gap, err error) {
	if ctx.Err() != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s, ok := errors.AsType[*arm.SignInError](err); ok {
		d.signInErr = s
		return
	}
	d.rec.recordFailedRead(err)
	d.failures++
	if e, ok := errors.AsType[*apply.Error](err); ok && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden) {
		d.denied = append(d.denied, e)
	}
	d.out.Gaps = append(d.out.Gaps, asGap(where, err))
}

// recordSuccess records a read that succeeded (a 404 that proves absence included), and adds its result.
func (d *discovery) recordSuccess(add func(*plan.Observed)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.successes++
	add(&d.out)
}

// subscriptionTasks returns the reads per subscription, and those of the vaults of the file. The lists of a vault
// follow once it is known, while the VMs are read.
func (d *discovery) subscriptionTasks() []readTask {
	var reads []readTask
	switch {
	case d.scope.Found != nil:
	case d.scope.AllVaults:
		reads = append(reads, d.subscriptions)
	case d.scope.Names && len(d.scope.Subscriptions) > 0:
		reads = append(reads, d.subscriptionNames)
	}
	if d.scope.Graph {
		reads = append(reads, d.listVMsByGraph)
	}
	listed := map[string]bool{} // subscriptions whose vaults are listed
	for _, s := range d.scope.Subscriptions {
		listVMs := func(ctx context.Context) { d.listVMs(ctx, s) }
		switch {
		case d.scope.Elsewhere || d.scope.AllVaults:
			listed[strings.ToLower(s)] = true
			reads = append(reads, func(ctx context.Context) {
				d.listVaults(ctx, s)
				if !d.scope.Graph {
					// The first request of a subscription goes alone (package quota), and what is in a vault takes
					// three, one after the other.
					d.follow(listVMs)
				}
			})
		case !d.scope.Graph:
			reads = append(reads, listVMs)
		}
	}
	for _, v := range d.scope.Vaults {
		if sub := strings.ToLower(armid.SubscriptionOf(v.ID)); listed[sub] && mayBeAnsweredByList(v) {
			d.listableVaults[sub] = append(d.listableVaults[sub], v)
		} else {
			reads = append(reads, func(ctx context.Context) { d.getVault(ctx, v) })
		}
	}
	return reads
}

// unreadTasks returns the reads of VMs of id rules that no list showed, and those inside the vaults that could not be
// read.
func (d *discovery) unreadTasks() []readTask {
	var reads []readTask
	for _, ref := range d.unreadVaults {
		reads = append(reads, d.vaultContentTasks(plan.Vault{ID: ref.ID, Location: ref.Location})...)
	}
	for _, id := range d.scope.VMs {
		if !d.seen.get(id).isRead {
			reads = append(reads, func(ctx context.Context) { d.getVM(ctx, id) })
		}
	}
	return reads
}

// sortedResult returns the result, sorted, so that the order of answers has no effect.
func (d *discovery) sortedResult() plan.Observed {
	o := d.out
	o.VMs = slices.DeleteFunc(o.VMs, func(v plan.VM) bool { return v.Unreadable != "" && d.seen.get(v.ID).isRead }) // read since
	slices.Sort(o.Notes)
	o.Notes = slices.Compact(o.Notes)
	slices.Sort(o.Taken)
	sortByID(o.VMs, func(v *plan.VM) string { return v.ID })
	sortByID(o.Vaults, func(v *plan.Vault) string { return v.ID })
	sortByID(o.Policies, func(p *plan.Policy) string { return p.ID })
	sortByID(o.Items, func(i *plan.Item) string { return i.ID })
	sortByID(o.Jobs, func(j *plan.Job) string { return j.ID })
	sortByID(o.Missing, func(s *string) string { return *s })
	sortByID(o.Subscriptions, func(s *plan.Subscription) string { return s.ID })
	sortByID(o.Protectable, func(p *plan.Protectable) string { return p.Subscription + "/" + p.Location })
	sortGaps(o.Gaps)
	o.Gaps = slices.CompactFunc(o.Gaps, func(a, b plan.Gap) bool { // one per subscription
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

// sortByID sorts by id, and keeps the order of elements with the same id. The elements are large and many: it sorts their
// indexes, and then moves each element once.
func sortByID[T any](list []T, id func(*T) string) {
	order := make([]int32, len(list))
	for i := range order {
		order[i] = int32(i) //nolint:gosec // there is no memory for more
	}
	slices.SortFunc(order, func(i, j int32) int {
		a, b := id(&list[i]), id(&list[j])
		return cmp.Or(armid.Compare(a, b), strings.Compare(a, b), cmp.Compare(i, j))
	})
	for start := range order {
		if int(order[start]) == start {
			continue
		}
		held, at := list[start], start
		for int(order[at]) != start {
			from := int(order[at])
			list[at] = list[from]
			order[at], at = int32(at), from //nolint:gosec // as above
		}
		list[at], order[at] = held, int32(at) //nolint:gosec // as above
	}
}

// seenVM is a VM that a list or an item names.
type seenVM struct {
	id          string // as the list spells it, else as the first item does
	isListed    bool
	isRead      bool
	isUnread    bool // only its id is reliable
	isProtected bool // it has an item that is not soft-deleted
}

// seenVMs holds what is known so far of VMs, by id.
type seenVMs struct {
	numbers *armid.Table
	all     []seenVM
}

func newSeenVMs() *seenVMs { return &seenVMs{numbers: armid.NewTable(0)} }

// get returns what is known about the VM with an id.
func (s *seenVMs) get(id string) seenVM {
	i := s.numbers.Find(id)
	if i < 0 {
		return seenVM{}
	}
	return s.all[i]
}

// entry returns the entry of the VM with an id, which it adds if necessary. It may be written until the next call.
func (s *seenVMs) entry(id string) *seenVM {
	i, isNew := s.numbers.Add(id)
	if isNew {
		s.all = append(s.all, seenVM{id: id})
	}
	return &s.all[i]
}
