package azure

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/plan"
)

// readTests answers the questions of restore tests: it reads first the lists, then the documents that these show to be
// needed. The errors are those of [Client.Discover].
func (d *discovery) readTests(ctx context.Context, questions []plan.TestQuestion) error {
	if len(questions) == 0 {
		return nil
	}
	f := &d.out.Tests
	f.Items, f.Jobs, f.Groups, f.Accounts = slices.Clone(f.Items), slices.Clone(f.Jobs), slices.Clone(f.Groups), slices.Clone(f.Accounts)
	f.Unread, f.Asked = slices.Clone(f.Unread), slices.Clone(f.Asked)
	disks := map[armid.Key][]plan.Disk{}
	maps.Copy(disks, f.Disks)
	f.Disks = disks
	var first, second []readTask
	var jobs []*testJobs
	points := PointReading{Items: make([]plan.ItemPoints, 0, len(questions))}
	for _, q := range questions {
		f.Asked = append(f.Asked, q.Key())
		switch q.Kind {
		case plan.AskDisks:
			first = append(first, func(ctx context.Context) { d.disksOfGroup(ctx, q.ID) })
		case plan.AskGroup:
			first = append(first, func(ctx context.Context) { d.targetGroup(ctx, q.ID, &f.RestoreFacts) })
		case plan.AskAccount:
			first = append(first, func(ctx context.Context) { d.stagingAccount(ctx, q.ID, &f.RestoreFacts) })
		case plan.AskAccounts:
			first = append(first, func(ctx context.Context) { d.stagingAccounts(ctx, q.ID, q.Names, &f.RestoreFacts) })
		case plan.AskPoints:
			points.Items = append(points.Items, plan.ItemPoints{Item: q.Item})
			of := &points.Items[len(points.Items)-1]
			first = append(first, func(ctx context.Context) { d.pointsOf(ctx, of) })
		case plan.AskJobs:
			t := &testJobs{question: q, groups: map[string]string{}}
			for container, group := range q.Containers {
				t.groups[strings.ToLower(container)] = group
			}
			jobs = append(jobs, t)
			first = append(first, func(ctx context.Context) { t.list(ctx, d) })
		}
	}
	asked := make([]plan.Item, len(points.Items))
	for i := range points.Items {
		asked[i] = points.Items[i].Item
	}
	defer d.c.expectPoints(asked)()
	if err := d.run(ctx, first); err != nil {
		return err
	}
	second = d.testDiskReads(points.Items, questions)
	for _, t := range jobs {
		t.named = d.jobsOfDisks()
		reads := t.reads(d)
		defer d.c.ExpectJobs(t.question.ID, len(reads))() // of most VMs the first job that is read is a proof
		second = append(second, reads...)
	}
	if err := d.run(ctx, second); err != nil {
		return err
	}
	for _, t := range jobs {
		d.recordSuccess(t.record)
	}
	f.Items = append(f.Items, points.Items...)
	sortGaps(d.out.Gaps)
	slices.Sort(f.Asked)
	slices.Sort(f.Unread)
	sortByID(f.Groups, func(g *plan.ResourceGroup) string { return g.ID })
	sortByID(f.Accounts, func(a *plan.StorageAccount) string { return a.ID })
	sortByID(f.Jobs, func(j *plan.RestoreJob) string { return j.ID })
	return nil
}

// testDiskReads returns the reads of the disks of the point that each test most likely restores, where its list shows
// that some are left out.
func (d *discovery) testDiskReads(items []plan.ItemPoints, questions []plan.TestQuestion) []readTask {
	oldest := map[armid.Key]bool{}
	for _, q := range questions {
		if q.Kind == plan.AskPoints && q.Oldest {
			oldest[armid.Of(q.ID)] = true
		}
	}
	var reads []readTask
	for i := range items {
		of := &items[i]
		if len(of.Points) == 0 {
			continue
		}
		p := &of.Points[0]
		if oldest[armid.Of(of.Item.ID)] {
			p = &of.Points[len(of.Points)-1]
		}
		if p.Disks != nil && p.Disks.Included == nil && p.Unreadable == "" {
			reads = append(reads, func(ctx context.Context) { d.disksOf(ctx, of.Item, p) })
		}
	}
	return reads
}

// disksOfGroup lists the disks of a group of restore tests; a group that does not exist has none.
func (d *discovery) disksOfGroup(ctx context.Context, group string) {
	disks, err := d.c.disks(ctx, group, d.rec)
	if err != nil && !isAbsenceProven(err) {
		d.recordGap(ctx, plan.Gap{Kind: plan.GapTargetGroup, Subscription: armid.SubscriptionOf(group), Target: group}, err)
		return
	}
	d.recordSuccess(func(o *plan.Observed) { o.Tests.Disks[armid.Of(group)] = disks })
}

// testJobs are the Restore jobs of a vault while they are read.
type testJobs struct {
	question plan.TestQuestion
	groups   map[string]string // by container, folded: where its tests restore to
	all      []plan.RestoreJob // newest first
	named    map[string]bool   // the names of the jobs that disks carry
}

// list reads the list of the jobs. Its rows do not have the group that a job restored into.
func (t *testJobs) list(ctx context.Context, d *discovery) {
	jobs, err := d.c.listRestoreJobs(ctx, t.question.ID, t.question.Since, d.rec)
	if err != nil {
		d.unread(&d.out.Tests.RestoreFacts, t.question.ID)
		d.recordGap(ctx, t.gap(), err)
		return
	}
	d.recordSuccess(func(*plan.Observed) { t.all = jobs })
}

func (t *testJobs) gap() plan.Gap {
	return plan.Gap{Kind: plan.GapRestoreJobs, Subscription: armid.SubscriptionOf(t.question.ID), Vault: t.question.ID}
}

// maxFailuresRead is how many failed jobs of a VM are read at most to find the last one that was a test: others are
// restores that somebody requested, and a VM has few of both.
const maxFailuresRead = 5

// reads returns the reads of the jobs that may prove a restore: of each container from the newest on, until one is a
// proof. It also reads jobs that the tags of disks name and, where the question requests it, failed jobs until one was
// of a test.
func (t *testJobs) reads(d *discovery) []readTask {
	byContainer := map[string][]*plan.RestoreJob{}
	for i := range t.all {
		k := strings.ToLower(t.all[i].Container)
		byContainer[k] = append(byContainer[k], &t.all[i])
	}
	var reads []readTask
	for container, jobs := range byContainer {
		group, covered := t.groups[container]
		reads = append(reads, func(ctx context.Context) {
			proven, failures := false, 0 // failures are those to read at most
			if t.question.Failed {
				failures = maxFailuresRead
			}
			for _, j := range jobs {
				wanted := covered && !proven && (!j.HasFailed() || failures > 0)
				if j.Unreadable == "" && (wanted || t.isNamed(*j)) && ctx.Err() == nil {
					d.readTestJob(ctx, j)
				}
				isInto := strings.EqualFold(j.Group, group)
				proven = proven || isInto && j.IsProof()
				if j.HasFailed() {
					failures--
				}
				if isInto && j.HasFailed() {
					failures = 0
				}
			}
		})
	}
	return reads
}

func (t *testJobs) isNamed(j plan.RestoreJob) bool {
	return t.named[strings.ToLower(operationID(j.ID))]
}

// record adds the jobs of the requested containers, those that disks name, and those whose container is not known.
func (t *testJobs) record(o *plan.Observed) {
	for _, j := range t.all {
		if _, covered := t.groups[strings.ToLower(j.Container)]; covered || j.Container == "" || t.isNamed(j) {
			o.Tests.Jobs = append(o.Tests.Jobs, j)
			o.Gaps = append(o.Gaps, misreadGaps(t.gap(), j.Unreadable)...)
		}
	}
}

// readTestJob reads a job with its property bag. A failed read is a gap, and makes the job Unreadable, because it may
// be a proof, unless its row shows that it failed.
func (d *discovery) readTestJob(ctx context.Context, j *plan.RestoreJob) {
	read, err := d.c.restoreJob(ctx, j.ID, d.rec)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		read.Vault, read.ID, read.Container = j.Vault, j.ID, j.Container // as listed: they join it to its item
		*j = read
	default:
		d.recordGap(ctx, plan.Gap{Kind: plan.GapRestoreJobs, Subscription: armid.SubscriptionOf(j.Vault), Vault: j.Vault, Target: j.ID}, err)
		if !j.HasFailed() {
			j.Unreadable = "it could not be read: " + err.Error()
		}
	}
}

// jobsOfDisks returns the names, folded, of the jobs in the tags of the disks that were read.
func (d *discovery) jobsOfDisks() map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := map[string]bool{}
	for _, disks := range d.out.Tests.Disks {
		for _, disk := range disks {
			if disk.Job != "" {
				names[strings.ToLower(disk.Job)] = true
			}
		}
	}
	return names
}
