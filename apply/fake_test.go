package apply_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

const (
	subscription = "11111111-1111-1111-1111-111111111111"
	dailyPolicy  = "daily"
)

func vaultID(name string) string { return armid.Vault(subscription, "rg-backup", name) }
func vmID(name string) string    { return armid.VM(subscription, "RG-App", name) }

// itemChange returns a change of an item of vault v1.
func itemChange(a plan.Action, vm string, needs ...string) plan.Change {
	return itemChangeIn("v1", a, vm, needs...)
}

func itemChangeIn(vault string, a plan.Action, vm string, needs ...string) plan.Change {
	id, err := armid.ParseVM(vmID(vm))
	if err != nil {
		panic(err)
	}
	v := vaultID(vault)
	c := plan.Change{
		ID: string(a) + ":" + vm, Action: a, Target: vmID(vm), Vault: v, Item: armid.ProtectedItem(v, id), Needs: needs,
		After: &plan.State{State: plan.StateProtected, Policy: armid.Policy(v, dailyPolicy)},
	}
	switch a {
	case plan.Modify:
		c.Before = &plan.State{State: plan.StateProtected, Policy: armid.Policy(v, "old")}
	case plan.Resume:
		c.Before = &plan.State{State: plan.StateProtectionStopped}
	case plan.Stop:
		c.Before, c.After = c.After, &plan.State{State: plan.StateProtectionStopped}
	case plan.Undelete:
		c.Before, c.After = &plan.State{State: plan.StateSoftDeleted}, &plan.State{State: plan.StateProtectionStopped}
	default:
	}
	return c
}

func policyChange(a plan.Action, name string, needs ...string) plan.Change {
	v := vaultID("v1")
	return plan.Change{ID: string(a) + ":" + name, Action: a, Target: armid.Policy(v, name), Vault: v, Needs: needs}
}

func vaultChange(a plan.Action, needs ...string) plan.Change {
	v := vaultID("v1")
	return plan.Change{ID: string(a) + ":v1", Action: a, Target: v, Vault: v, Needs: needs}
}

func planOf(changes ...plan.Change) plan.Plan { return plan.Plan{Changes: changes} }

// fake is an Azure in memory with scripted faults. It counts the requests and operations that the engine must bound.
type fake struct {
	// ahead is how far the service's clock is ahead of the machine's.
	ahead      time.Duration
	latency    time.Duration
	duration   func(c plan.Change, n int) time.Duration // of the n-th accepted operation
	retryAfter time.Duration
	pageSize   int
	// script holds, per target, the faults of its writes, one word a write; later writes succeed.
	script map[string][]string
	// writeTokens, where positive, is the burst of the write bucket, refilled ten a second; Start waits for a token
	// like the real backend's limiter.
	writeTokens int
	// readsPerHour, where positive, is the budget of each kind of read.
	readsPerHour int
	listFails    func(n int) error // may fail the n-th list (from 0)
	hideJobs     bool

	mu       sync.Mutex
	began    time.Time
	items    map[armid.Key]*plan.Item // by VM
	jobs     []*plan.Job
	unlisted map[string]bool // jobs, by id, that lists miss

	jobReads    int
	jobReadErrs []error // of the first reads of a job
	ops         []*fakeOp
	refresh     map[string]bool // vaults refreshed
	tokens      float64
	tokensAt    time.Time

	writing, writingMost int
	reading, readingMost int
	runningMost          int
	starts               []string // "protect:vm1" in order
	accepted             []time.Time
	lists, listRequests  int
	polls                int
	spent                map[apply.ReadKind]int
	budgetAsked          int
	polled               []time.Time
}

type fakeOp struct {
	id     string
	change plan.Change
	start  time.Time
	end    time.Time // zero: never
	shown  time.Time // when the lists show the effect
	fails  *apply.Error
	job    *plan.Job
	jobErr *plan.JobError
	over   bool
}

func newFake() *fake {
	return &fake{
		latency: 50 * time.Millisecond, pageSize: 200,
		duration: func(plan.Change, int) time.Duration { return 36 * time.Second },
		script:   map[string][]string{}, items: map[armid.Key]*plan.Item{}, refresh: map[string]bool{},
		spent: map[apply.ReadKind]int{}, began: time.Now(),
	}
}

// now returns the service's time.
func (f *fake) now() time.Time { return time.Now().Add(f.ahead) }

func name(id string) string { return id[strings.LastIndex(id, "/")+1:] }

func (f *fake) Start(ctx context.Context, c plan.Change) (apply.Operation, error) {
	f.mu.Lock()
	f.writing++
	f.writingMost = max(f.writingMost, f.writing)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.writing--
		f.mu.Unlock()
	}()
	if err := f.token(ctx); err != nil {
		return apply.Operation{}, err
	}
	if err := sleep(ctx, f.latency); err != nil {
		return apply.Operation{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catchUp()
	f.starts = append(f.starts, string(c.Action)+":"+name(c.Target))
	word := "ok"
	if words := f.script[name(c.Target)]; len(words) > 0 {
		word, f.script[name(c.Target)] = words[0], words[1:]
	}
	refused := &apply.Error{Op: "writing", Message: "scripted", RequestID: "req-" + word}
	no := func(status int, code string) (apply.Operation, error) {
		refused.Status, refused.Code = status, code
		return apply.Operation{}, refused
	}
	switch word {
	case "fail":
		return no(400, "UserErrorVmVaultLocationMismatch")
	case "unregistered":
		return no(409, "MissingSubscriptionRegistration")
	case "disabled":
		return no(409, "ReadOnlyDisabledSubscription")
	case "moving":
		return no(409, "ResourceGroupBeingMoved")
	case "locked":
		return no(409, "ScopeLocked")
	case "policy":
		return no(403, "RequestDisallowedByPolicy")
	case "guarded":
		refused.Message = "ResourceGuard operation request id is null or empty"
		return no(403, "SomethingAboutGuards")
	case "linked":
		refused.Message = "no right on /subscriptions/x/providers/Microsoft.DataProtection/resourceGuards/mua/updateProtectedItemRequests/default"
		return no(403, "LinkedAuthorizationFailed")
	case "new-conflict":
		return no(409, "SomethingNew")
	case "403":
		return no(403, "AuthorizationFailed")
	case "429":
		refused.RetryAfter = 20 * time.Second
		return no(429, "ResourceRequestsThrottled")
	case "429-long":
		refused.RetryAfter = 20 * time.Hour
		return no(429, "ResourceRequestsThrottled")
	case "conflict":
		return no(409, "BMSUserErrorConflictingProtectionOperation")
	case "backup-running":
		return no(409, "UserErrorBackupOperationInProgress")
	case "500":
		refused.Unknown = true
		return no(500, "InternalServerError")
	case "reset-before":
		return apply.Operation{}, &apply.Error{Op: "writing", Message: "connection reset", Unknown: true}
	case "unknown-container":
		if !f.refresh[c.Vault] {
			return no(400, "BMSUserErrorInvalidConfigureProtectionRequest")
		}
	case "never-container":
		return no(400, "BMSUserErrorInvalidConfigureProtectionRequest")
	}
	op := f.accept(c, word)
	if word == "reset-after" {
		return apply.Operation{}, &apply.Error{Op: "writing", Message: "connection reset", Unknown: true}
	}
	return op, nil
}

func (f *fake) token(ctx context.Context) error {
	if f.writeTokens == 0 {
		return nil
	}
	f.mu.Lock()
	now := f.now()
	if f.tokensAt.IsZero() {
		f.tokens, f.tokensAt = float64(f.writeTokens), now
	}
	f.tokens = min(float64(f.writeTokens), f.tokens+10*now.Sub(f.tokensAt).Seconds()) - 1
	f.tokensAt = now
	wait := time.Duration(-f.tokens / 10 * float64(time.Second))
	f.mu.Unlock()
	return sleep(ctx, wait)
}

// accept starts the operation of a write.
func (f *fake) accept(c plan.Change, word string) apply.Operation {
	now := f.now()
	op := &fakeOp{id: fmt.Sprintf("op-%d", len(f.ops)), change: c, start: now}
	d := f.duration(c, len(f.ops))
	if c.Action == plan.CreatePolicy {
		d = 0
	}
	op.end = now.Add(d)
	op.shown = op.end
	switch word {
	case "hang", "hang-unlisted":
		op.end = time.Time{}
	case "invisible":
		op.shown = op.end.Add(2 * time.Minute)
	case "op-fails":
		op.fails = &apply.Error{Op: "following", Code: "UserErrorGuestAgentStatusUnavailable", Message: "scripted", Ended: true}
	case "job-fails":
		op.jobErr = &plan.JobError{Code: 390026, Message: "the job said no", Recommendations: []string{"try harder"}}
	}
	if c.Item != "" {
		op.job = &plan.Job{
			ID: c.Vault + "/backupJobs/job-" + op.id, Vault: c.Vault, Container: containerName(c), Name: name(c.Target),
			Operation: map[plan.Action]string{plan.Stop: "DisableBackup", plan.Undelete: "Undelete", plan.Backup: "Backup"}[c.Action],
			Status:    "InProgress", Start: now,
		}
		if op.job.Operation == "" {
			op.job.Operation = "ConfigureBackup"
		}
		if c.RestoreOrder != nil {
			op.job.ID, op.job.Operation = c.Vault+"/backupJobs/"+op.id, plan.JobRestore
		}
		if !f.hideJobs && word != "hang-unlisted" {
			f.jobs = append(f.jobs, op.job)
		}
	}
	f.ops = append(f.ops, op)
	f.accepted = append(f.accepted, now)
	running := 0
	for _, o := range f.ops {
		if !o.over {
			running++
		}
	}
	f.runningMost = max(f.runningMost, running)
	return apply.Operation{
		ID: op.id, Change: c.ID, Vault: c.Vault, Action: c.Action, Target: c.Target, After: c.After,
		Status: "status/" + op.id, RequestID: "req-" + op.id, RetryAfter: f.retryAfter, Accepted: now,
	}
}

func containerName(c plan.Change) string {
	_, rest, _ := strings.Cut(c.Item, "/protectionContainers/")
	container, _, _ := strings.Cut(rest, "/")
	_, n, _ := strings.Cut(container, ";")
	return strings.ToLower(n) // like the service
}

// catchUp ends every operation that is due.
func (f *fake) catchUp() {
	now := f.now()
	for _, op := range f.ops {
		if op.end.IsZero() || op.end.After(now) {
			continue
		}
		if !op.over && op.job != nil && op.change.Action != plan.Backup {
			op.job.Status, op.job.End = "Completed", op.end
			if op.jobErr != nil || op.fails != nil {
				op.job.Status = "Failed"
			}
			if op.fails != nil { // such a job is not listed: only the operation reports the failure
				f.jobs = slices.DeleteFunc(f.jobs, func(j *plan.Job) bool { return j == op.job })
			}
		}
		op.over = true
		if op.change.Action == plan.Refresh {
			f.refresh[op.change.Vault] = true
		}
		if op.fails == nil && op.jobErr == nil && !op.shown.After(now) {
			f.effect(op.change)
		}
	}
}

func (f *fake) effect(c plan.Change) {
	if c.Item == "" || c.Action == plan.Backup || c.RestoreOrder != nil {
		return
	}
	f.put(c)
}

// put gives the item the change's desired state.
func (f *fake) put(c plan.Change) {
	it := f.items[armid.Of(c.Target)]
	if it == nil {
		it = &plan.Item{ID: c.Item, Vault: c.Vault, VM: c.Target, Container: containerName(c)}
		f.items[armid.Of(c.Target)] = it
	}
	it.SoftDeleted = false
	switch c.Action {
	case plan.Stop, plan.Undelete:
		it.State, it.PolicyID = plan.StateProtectionStopped, ""
	default:
		it.State, it.PolicyID = plan.StateIRPending, c.After.Policy
	}
}

// seed creates the state for which a plan was made: the item before the first change of each VM.
func (f *fake) seed(p plan.Plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range p.Changes {
		if c.Before == nil || c.Item == "" || f.items[armid.Of(c.Target)] != nil {
			continue
		}
		f.items[armid.Of(c.Target)] = &plan.Item{
			ID: c.Item, Vault: c.Vault, VM: c.Target, Container: containerName(c), PolicyID: c.Before.Policy, Disks: c.Before.Disks,
			State: c.Before.State, SoftDeleted: c.Before.State == plan.StateSoftDeleted,
		}
	}
}

// List reads the items first, and the jobs a latency later: an operation that ends between is over, and has changed nothing.
func (f *fake) List(ctx context.Context, vault string) (apply.Snapshot, error) {
	defer f.read(1)()
	items := f.itemsOf(vault)
	if err := sleep(ctx, f.latency); err != nil {
		return apply.Snapshot{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists++
	if f.listFails != nil {
		if err := f.listFails(f.lists - 1); err != nil {
			return apply.Snapshot{}, err
		}
	}
	f.catchUp()
	s := apply.Snapshot{At: f.now(), Items: items}
	for _, j := range f.jobs {
		if armid.Same(j.Vault, vault) && !f.unlisted[j.ID] {
			s.Jobs = append(s.Jobs, *j)
		}
	}
	pages := func(n int) int { return max(1, (n+f.pageSize-1)/f.pageSize) }
	f.spent[apply.ReadItems] += pages(len(s.Items))
	f.spent[apply.ReadJobs] += pages(len(s.Jobs))
	s.Requests = pages(len(s.Items)) + pages(len(s.Jobs))
	f.listRequests += s.Requests
	return s, nil
}

func (f *fake) itemsOf(vault string) (items []plan.Item) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.catchUp()
	for _, it := range f.items {
		if armid.Same(it.Vault, vault) {
			items = append(items, *it)
		}
	}
	return items
}

// ListJobs lists the items too, and counts them.
func (f *fake) ListJobs(ctx context.Context, vault string) (apply.Snapshot, error) {
	return f.List(ctx, vault)
}

func (f *fake) IsJobRunning(ctx context.Context, id string) (bool, error) {
	defer f.read(1)()
	if err := sleep(ctx, f.latency); err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobReads++
	if len(f.jobReadErrs) > 0 {
		err := f.jobReadErrs[0]
		f.jobReadErrs = f.jobReadErrs[1:]
		return false, err
	}
	f.catchUp()
	i := slices.IndexFunc(f.jobs, func(j *plan.Job) bool { return armid.Same(j.ID, id) })
	return i >= 0 && f.jobs[i].IsRunning(), nil
}

func (f *fake) Poll(ctx context.Context, op apply.Operation) (apply.Progress, error) {
	defer f.read(1)()
	if err := sleep(ctx, f.latency); err != nil {
		return apply.Progress{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.polls++
	f.polled = append(f.polled, f.now())
	f.spent[apply.ReadOperation]++
	f.catchUp()
	for _, o := range f.ops {
		mine := o.id == op.ID || (op.ID == "" && op.Change == o.change.ID)
		if !mine && (op.JobID == "" || o.job == nil || name(o.job.ID) != op.JobID) {
			continue
		}
		switch {
		case !o.over:
			return apply.Progress{Message: "in progress", RetryAfter: f.retryAfter}, nil
		case o.fails != nil:
			return apply.Progress{}, o.fails
		case o.jobErr != nil && op.JobID != "":
			return apply.Progress{}, &apply.Error{Op: "following", Code: fmt.Sprint(o.jobErr.Code), Message: o.jobErr.Message, Ended: true}
		}
		p := apply.Progress{Done: true}
		if o.job != nil {
			p.JobID = name(o.job.ID)
		}
		return p, nil
	}
	return apply.Progress{}, nil
}

func (f *fake) read(n int) func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reading += n
	f.readingMost = max(f.readingMost, f.reading)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.reading -= n
	}
}

// Budget makes the fake an apply.BudgetSource.
func (f *fake) Budget(_ string, kind apply.ReadKind) apply.Budget {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readsPerHour == 0 {
		return apply.Budget{Remaining: -1}
	}
	f.budgetAsked++
	b := apply.Budget{Remaining: max(0, f.readsPerHour-f.spent[kind]), Resets: f.began.Add(time.Hour)}
	if b.Remaining == 0 {
		b.Next = b.Resets
	}
	return b
}

// started returns the number of writes for a target.
func (f *fake) started(what string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, s := range f.starts {
		if s == what {
			n++
		}
	}
	return n
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
