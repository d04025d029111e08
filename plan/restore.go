package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
)

// DiskSelection selects the disks of a VM to restore: nil selects all of them; any other value the OS disk, which is
// always restored, and the data disks with these LUNs.
type DiskSelection []int

// ParseDiskSelection parses "all", "os" or LUNs such as "0,1", from 0 to 63.
func ParseDiskSelection(s string) (DiskSelection, error) {
	switch s {
	case "all":
		return nil, nil
	case "os":
		return DiskSelection{}, nil
	}
	d := DiskSelection{}
	for part := range strings.SplitSeq(s, ",") {
		lun, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || lun < 0 || lun > maxLUN {
			return nil, fmt.Errorf("%q is not all, os or LUNs from 0 to %d", s, maxLUN)
		}
		d = append(d, lun)
	}
	slices.Sort(d)
	return slices.Compact(d), nil
}

// maxLUN is the highest number of a data disk.
const maxLUN = 63

// String returns the form that [ParseDiskSelection] parses.
func (d DiskSelection) String() string {
	switch {
	case d == nil:
		return "all"
	case len(d) == 0:
		return "os"
	}
	words := make([]string, len(d))
	for i, lun := range d {
		words[i] = strconv.Itoa(lun)
	}
	return strings.Join(words, ",")
}

// MarshalText implements [encoding.TextMarshaler].
func (d DiskSelection) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *DiskSelection) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDiskSelection(string(b))
	return err
}

// RestoreOrder describes the disks that a restore creates, and the recovery point that it takes. It is part of a [Change]
// of action [Restore] or [RestoreTest].
type RestoreOrder struct {
	Point  PointRef      `json:"point"`
	Select DiskSelection `json:"select"`
	// Disks are the disks that will be created, as far as the point lists them; null = all that it holds, with unknown
	// names.
	Disks []PointDisk `json:"disks"`
	// Into is the id of the resource group in which the disks are made, Staging that of the storage account.
	Into    string `json:"into"`
	Staging string `json:"staging"`
	Region  string `json:"region"` // of the vault
	// PrivateAccess is true where the restore must set the access of disks with private endpoints
	// (docs/azure.md §25.2).
	PrivateAccess bool `json:"private_access,omitempty"`
	// Adopted is the job that does this already; nil = there is none, so the restore has to be started. The operator does
	// not approve it: it is not in the fingerprint.
	Adopted *AdoptedJob `json:"adopted,omitempty"`
}

// PointRef is the recovery point of a [RestoreOrder].
type PointRef struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Time       time.Time `json:"time"`
	AgeSeconds int64     `json:"age_seconds"` // when the plan was made
	// AgeAtBeforeSeconds is how much older the point is than the latest time that was asked for; 0 = no time was, or it is that of
	// the point.
	AgeAtBeforeSeconds int64  `json:"age_at_before_seconds,omitempty"`
	Tier               string `json:"tier"` // "" = not given
	Consistency        string `json:"consistency"`
}

// approvedOrder returns the part of a change's order that the operator approves. It has no ages of the point, and no
// tier, which changes with the age. The order of a test that takes the newest or oldest point has no point: it differs from day
// to day.
func approvedOrder(c Change) *RestoreOrder {
	o := c.RestoreOrder
	if o == nil {
		return nil
	}
	approved := &RestoreOrder{Select: o.Select, Into: string(armid.Of(o.Into)), Staging: string(armid.Of(o.Staging))}
	if c.Test == nil || c.Test.Point == "" {
		approved.Point = PointRef{ID: string(armid.Of(o.Point.ID)), Time: o.Point.Time.UTC()}
	}
	return approved
}

// RestoreRequest is a request of the operator to restore VMs, or of a restore test.
type RestoreRequest struct {
	VMs []string `json:"vms"` // ids
	// Before is the latest time of a point, inclusive; zero = any time. Point is the name of a point of one VM instead.
	Before time.Time     `json:"before,omitzero"`
	Point  string        `json:"point,omitempty"`
	Disks  DiskSelection `json:"disks"`
	// Into is a resource group, Staging are storage accounts, one for each region: ids, or names in the vault's
	// subscription.
	Into    string   `json:"into"`
	Staging []string `json:"staging"`
	// MaxRestores is settings.guards.maxRestores: more restores are a refusal. InFlight is how many run at once, for the
	// forecast; 0 = all.
	MaxRestores int `json:"-"`
	InFlight    int `json:"-"`
	// Oldest requests the oldest point that can be restored, in place of the newest.
	Oldest bool `json:"-"`
	// IsTest requires the tag that allows restore tests in the group ([ResourceGroup.AllowsRestoreTests]).
	IsTest bool `json:"-"`
	// Again requests a new restore where a job already restores, or restored, the same point into the same group
	// ([AdoptedJob]).
	Again bool `json:"again,omitempty"`
	// Approved are the points of an approved plan, by VM: such a VM is restored from exactly this point, or not at all.
	Approved map[armid.Key]PointRef `json:"-"`
}

// ApprovedRequest returns the request with which a saved plan of restores is planned again. p must have a
// [Plan.Request].
func (p Plan) ApprovedRequest() RestoreRequest {
	r := *p.Request
	r.Approved = map[armid.Key]PointRef{}
	for _, c := range p.Changes {
		if c.Action == Restore {
			r.Approved[armid.Of(c.Target)] = c.Point
		}
	}
	return r
}

// RestoreFacts are the inputs of a plan of restores besides [Observed].
type RestoreFacts struct {
	Items  []ItemPoints
	Jobs   []RestoreJob // Restore jobs: for a restore those that began within [AdoptionReach] or still run, for tests see [TestFacts]
	Groups []ResourceGroup
	// Disks are the disks of resource groups, by group; no entry = they were not read ([RestoreFacts.GroupsRestoredInto]).
	Disks    map[armid.Key][]Disk
	Accounts []StorageAccount
	Gaps     []Gap
	// Unread are the groups and accounts, as requested or by their ids, that could not be read: whether they exist is
	// unknown.
	Unread []string
}

// GuardRestores is the guard that refuses a plan with more restores than [RestoreRequest.MaxRestores], and
// FlagAllowManyRestores lifts it.
const (
	GuardRestores         = "max-restores"
	FlagAllowManyRestores = "--dangerous-allow-many-restores"
)

// MakeRestores plans one restore for each VM of the request, from the newest point that matches the request and can be
// restored, or with [RestoreRequest.Oldest] the oldest. It is pure like [Make]: the same input gives the same plan, in
// whatever order it was read. Restores change nothing that exists.
func MakeRestores(o Observed, f RestoreFacts, r RestoreRequest, now time.Time) Plan {
	vaults := map[armid.Key]*Vault{}
	for i := range o.Vaults {
		vaults[armid.Of(o.Vaults[i].ID)] = &o.Vaults[i]
	}
	m := newRestorer(vaults, &f, r, now)
	m.gaps = o.Gaps
	p := Plan{FormatVersion: FormatVersion, Summary: map[Action]int{}, Refusals: []Refusal{}, Gaps: slices.Concat([]Gap{}, o.Gaps, f.Gaps)}
	p.Complete = len(p.Gaps) == 0
	created := map[armid.Key]time.Time{}
	for i := range o.VMs {
		if _, is := armid.Get(m.items, o.VMs[i].ID); is {
			created[armid.Of(o.VMs[i].ID)] = o.VMs[i].TimeCreated
		}
	}
	seen := map[armid.Key]bool{}
	for _, vm := range r.VMs {
		if seen[armid.Of(vm)] {
			continue
		}
		seen[armid.Of(vm)] = true
		c := m.complete(Change{
			ID: changeID(Restore, armid.Of(vm)), Action: Restore, Target: vm, Reason: ReasonAsked, Because: ReasonAsked.Sentence(), Risk: RiskNone,
		})
		if c.RestoreOrder != nil {
			if note := m.noteEarlierVM(vm, created[armid.Of(vm)], c.Point.Time); note != "" {
				c.Notes = append(c.Notes, note)
			}
		}
		p.Changes = append(p.Changes, c)
		p.Summary[c.Action]++
	}
	slices.SortFunc(p.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Action.order(), b.Action.order()), boolToInt(b.isAdopted())-boolToInt(a.isAdopted()),
			strings.Compare(string(armid.Of(a.Vault)), string(armid.Of(b.Vault))), strings.Compare(a.ID, b.ID))
	})
	if len(o.Subscriptions) > 1 {
		p.Subscriptions = SubscriptionNames(o, p.Changes, p.Gaps)
	}
	p.Fingerprint = fingerprint(p.Changes)
	p.Request = &RestoreRequest{Before: r.Before, Point: r.Point, Disks: r.Disks, Into: r.Into, Staging: r.Staging, Again: r.Again}
	n := 0
	for _, c := range p.Changes {
		p.Request.VMs = append(p.Request.VMs, c.Target)
		n += boolToInt(c.Action == Restore && !c.isAdopted())
	}
	if n > r.MaxRestores {
		p.Refusals = append(p.Refusals, Refusal{
			Guard: GuardRestores, Flag: FlagAllowManyRestores, Count: n, Limit: r.MaxRestores,
			Message: fmt.Sprintf("restores: %d, allowed are %d", n, r.MaxRestores),
		})
	}
	p.Capacity.Restores = r.InFlight
	p.forecastChanges()
	return p
}

// restorer plans the restores that a request describes: for the operator, and for restore tests.
type restorer struct {
	vaults  map[armid.Key]*Vault
	facts   *RestoreFacts
	items   map[armid.Key][]*ItemPoints // of facts, by VM
	request RestoreRequest
	now     time.Time
	// created is when the VM of a restore test was created: earlier points are of an earlier VM of the same id, and prove
	// nothing of it. Zero = any point is meant.
	created time.Time
	gaps    []Gap // of discovery: vaults that were not read may hold points, too
}

func newRestorer(vaults map[armid.Key]*Vault, f *RestoreFacts, r RestoreRequest, now time.Time) *restorer {
	m := &restorer{vaults: vaults, facts: f, items: map[armid.Key][]*ItemPoints{}, request: r, now: now}
	for i := range f.Items {
		vm := armid.Of(f.Items[i].Item.VM)
		m.items[vm] = append(m.items[vm], &f.Items[i])
	}
	return m
}

// complete returns the restore of a VM with its order, or a blocked change with the reason.
func (m *restorer) complete(c Change) Change {
	found, reason, detail := m.choose(c.Target)
	if found.item != nil {
		c.Vault, c.Item = found.item.Vault, found.item.ID
	}
	if reason == "" {
		c.Notes = found.notes
		if unread := m.mayHoldLater(found.item); unread != "" {
			c.Notes = append(slices.Clip(c.Notes), "no backups are made of it in "+lastName(found.item.Vault)+", and a vault that may hold a later point was not read: "+unread)
		}
		c.RestoreOrder, reason, detail = m.order(found)
	}
	if reason == "" && !m.request.Again && m.jobsUnread(found.item.Vault) {
		c.RestoreOrder, reason, detail = nil, ReasonGap, "the Restore jobs of "+lastName(found.item.Vault)+", so a restore that runs or is done would be repeated; --again restores all the same"
	}
	if reason == "" {
		var note string
		if c.Adopted, note = m.adopted(*found.item, c.RestoreOrder); note != "" {
			c.Notes = append(c.Notes, note)
		}
		switch n := m.restoredToday(*found.item); {
		case c.isAdopted():
			c.Reason, c.Because = ReasonAdopted, ReasonAdopted.Sentence()+": job "+lastName(c.Adopted.ID)+", "+c.Adopted.Status
			return c
		case n < RestoresPerDay:
			return c
		default:
			c.RestoreOrder, reason, detail = nil, ReasonRestoreLimit, fmt.Sprintf("%d of %d", n, RestoresPerDay)
		}
	}
	return blockRestore(c, reason, detail)
}

func blockRestore(c Change, reason Reason, detail string) Change {
	c.Wanted, c.Action, c.ID = c.Action, Blocked, string(Blocked)+"-"+c.ID
	c.Reason, c.Because, c.Risk, c.Needs = reason, reason.Sentence(), "", nil
	if detail != "" {
		c.Because += ": " + detail
	}
	return c
}

// isAdopted reports whether a job of an earlier run does what the change orders.
func (c Change) isAdopted() bool { return c.RestoreOrder != nil && c.Adopted != nil }

// chosen is the recovery point chosen for a restore.
type chosen struct {
	item  *Item
	point RecoveryPoint
	tier  string
	notes []string
}

// choose returns the point of a VM that the request prefers, of all vaults that hold the VM, or why there is none.
func (m *restorer) choose(vm string) (best chosen, reason Reason, detail string) {
	unread := 0
	var whys []string
	items := m.items[armid.Of(vm)]
	slices.SortStableFunc(items, func(a, b *ItemPoints) int { return armid.Compare(a.Item.ID, b.Item.ID) })
	for _, of := range items {
		if best.item == nil {
			best.item = &of.Item // so that a blocked change names its vault
		}
		if !of.Read {
			unread++
			continue
		}
		found, whyNot := m.newest(of)
		if found.item != nil && (best.point.ID == "" || m.isBetter(found, best)) {
			best = found
		}
		if whyNot != "" && len(items) > 1 {
			whyNot = "vault " + lastName(of.Item.Vault) + ": " + whyNot
		}
		if whyNot != "" {
			whys = append(whys, whyNot)
		}
	}
	switch {
	case len(items) == 0:
		return best, ReasonNoBackup, ""
	case unread > 0:
		// A point that was not read may be the requested one.
		return best, ReasonGap, "the recovery points of " + formatCount(unread, "item")
	case best.point.ID == "":
		return best, ReasonNoRestorablePoint, strings.Join(whys, "; ")
	}
	for _, of := range items {
		if note := m.passedOver(of, best); note != "" {
			best.notes = append(slices.Clip(best.notes), note)
		}
	}
	return best, "", ""
}

// mayHoldLater returns the vault that was not read and may back up the VM of an item that is not backed up any more: one of
// the same subscription and region. It returns "" for an active item, because a VM is backed up by one vault.
func (m *restorer) mayHoldLater(it *Item) string {
	if it.Class() == ItemActive {
		return ""
	}
	here := m.vaults[armid.Of(it.Vault)]
	for _, g := range m.gaps {
		location := g.Location
		if v := m.vaults[armid.Of(g.Vault)]; v != nil {
			location = cmp.Or(v.Location, location)
		}
		elsewhere := location != "" && here != nil && armid.Location(location) != armid.Location(here.Location)
		switch {
		case g.Subscription != "" && !strings.EqualFold(g.Subscription, armid.SubscriptionOf(it.Vault)), elsewhere:
		case (g.Kind == GapItems || g.Kind == GapVault) && g.Vault != "" && !armid.Same(g.Vault, it.Vault):
			return lastName(g.Vault)
		case g.Kind == GapVaults, g.Kind == GapSubscription && g.Subscription != "":
			return "the list of vaults"
		}
	}
	return ""
}

// passedOver returns a note where another item of the VM holds a point that the request prefers to the chosen one, and that
// cannot be restored.
func (m *restorer) passedOver(of *ItemPoints, best chosen) string {
	if of.Item.ID == best.item.ID {
		return ""
	}
	var p RecoveryPoint
	for _, q := range of.Points {
		if m.isMeant(of.Item, q) && m.preferred(q.Time, best.point.Time) > 0 && (p.ID == "" || m.preferred(q.Time, p.Time) > 0) {
			p = q
		}
	}
	if p.ID == "" {
		return ""
	}
	_, why := p.RestorableTier(m.now)
	if of.Item.SoftDeleted {
		why = "the item is soft-deleted: undelete it first"
	}
	return "the point of " + p.Time.UTC().Format(time.RFC3339) + " in vault " + lastName(of.Item.Vault) + " cannot be restored: " + why
}

// isBetter reports whether a is the better of two items' points: the newer one, else the one of the active item, else
// that of the first vault.
func (m *restorer) isBetter(a, b chosen) bool {
	return cmp.Or(
		m.preferred(a.point.Time, b.point.Time),
		boolToInt(a.item.Class() == ItemActive)-boolToInt(b.item.Class() == ItemActive),
		strings.Compare(string(armid.Of(b.item.ID)), string(armid.Of(a.item.ID))),
	) > 0
}

// preferred compares the times of two points: the preferred one is greater.
func (m *restorer) preferred(a, b time.Time) int {
	if m.request.Oldest {
		return b.Compare(a)
	}
	return a.Compare(b)
}

// newest returns the newest point of an item that matches the request and can be restored (the oldest, where that is
// requested), or why there is none.
// Points are chosen by their time, never by their position in a list (docs/azure.md §25.5).
func (m *restorer) newest(of *ItemPoints) (best chosen, whyNot string) {
	if of.Item.SoftDeleted {
		if n := len(of.Points); n > 0 {
			return chosen{}, "the item is soft-deleted, with " + formatCount(n, "point") + " that can be restored after an undelete"
		}
		return chosen{}, "the item is soft-deleted: undelete it first"
	}
	points := slices.Clone(of.Points)
	slices.SortStableFunc(points, func(a, b RecoveryPoint) int {
		return cmp.Or(m.preferred(b.Time, a.Time), strings.Compare(a.ID, b.ID))
	})
	var notes []string
	unclear := ""
	for _, p := range points {
		if m.approved(of.Item) == nil && m.isUnclear(p) {
			unclear = cmp.Or(unclear, "a point that may be meant was not understood: "+p.Unreadable)
		}
	}
	if unclear != "" && m.request.Point == "" {
		notes = append(notes, unclear)
	}
	for _, p := range points {
		if !m.isMeant(of.Item, p) {
			continue
		}
		tier, why := p.RestorableTier(m.now)
		if why == "" {
			return chosen{item: &of.Item, point: p, tier: tier, notes: notes}, ""
		}
		words := "the point of " + p.Time.UTC().Format(time.RFC3339) + " cannot be restored: " + why
		whyNot = cmp.Or(whyNot, words)
		notes = append(notes, words)
	}
	switch {
	case whyNot != "":
	case m.approved(of.Item) != nil:
		whyNot = "the approved point of " + m.approved(of.Item).Time.Format(time.RFC3339) + " is not there any more"
	case unclear != "":
		whyNot = unclear
	case m.request.Point != "":
		whyNot = "there is no point " + m.request.Point
	case !m.created.IsZero() && len(points) > 0:
		whyNot = "its points are of an earlier VM of the same name"
	case m.request.Before.IsZero():
		whyNot = "there is no point"
	default:
		whyNot = "there is no point of " + m.request.Before.UTC().Format(time.RFC3339) + " or earlier"
	}
	return chosen{}, whyNot
}

// isMeant reports whether a point matches the request: the approved point, the named one, or one of the requested time. A
// point with an unknown time matches no time.
func (m *restorer) isMeant(it Item, p RecoveryPoint) bool {
	switch {
	case m.approved(it) != nil:
		return armid.Same(p.ID, m.approved(it).ID)
	case m.request.Point != "":
		return strings.EqualFold(p.Name, m.request.Point)
	case p.Time.IsZero() || p.Time.Before(m.created):
		return false
	}
	taken := p.Time
	if m.request.Before.Nanosecond() == 0 {
		// Points have fractions of seconds that no list shows: a time that is copied from one means the point of that second.
		taken = taken.Truncate(time.Second)
	}
	return m.request.Before.IsZero() || !taken.After(m.request.Before)
}

// approved returns the approved point of an item's VM, or nil.
func (m *restorer) approved(it Item) *PointRef {
	if p, ok := m.request.Approved[armid.Of(it.VM)]; ok {
		return &p
	}
	return nil
}

// isUnclear reports whether it is unknown if a point matches the request, because its name or time was not understood.
func (m *restorer) isUnclear(p RecoveryPoint) bool {
	if m.request.Point != "" {
		return p.Name == ""
	}
	return p.Time.IsZero()
}

// order returns the restore order for the point, or why there can be none.
func (m *restorer) order(found chosen) (*RestoreOrder, Reason, string) {
	p := found.point
	to, reason, detail := m.target(found.item.Vault)
	if reason != "" {
		return nil, reason, detail
	}
	disks, missing := wantedDisks(p.Disks, m.request.Disks)
	if missing != "" {
		return nil, ReasonNoSuchDisk, missing
	}
	point := PointRef{
		ID: p.ID, Name: p.Name, Time: p.Time.UTC(), AgeSeconds: int64(m.now.Sub(p.Time).Seconds()), Tier: found.tier, Consistency: p.Consistency,
	}
	if !m.request.Before.IsZero() {
		point.AgeAtBeforeSeconds = int64(m.request.Before.Sub(p.Time).Seconds())
	}
	return &RestoreOrder{
		Point:  point,
		Select: m.request.Disks, Disks: disks, Into: to.group, Staging: to.staging, Region: to.region, PrivateAccess: p.PrivateAccess,
	}, "", ""
}

// restoredToday counts the restores of an item in the last 24 hours, whatever their result.
func (m *restorer) restoredToday(it Item) int {
	n := 0
	for _, j := range m.facts.Jobs {
		n += boolToInt(j.isOf(it) && j.Operation == JobRestore && m.now.Sub(j.Start) < 24*time.Hour)
	}
	return n
}

// wantedDisks returns the disks of a point that a selection restores, or the one that the point does not hold.
func wantedDisks(held *PointDisks, selection DiskSelection) (disks []PointDisk, missing string) {
	if held == nil || held.Included == nil {
		if selection == nil {
			return nil, ""
		}
		disks = []PointDisk{{LUN: OSDisk}}
		for _, lun := range selection {
			disks = append(disks, PointDisk{LUN: lun})
		}
		return disks, ""
	}
	if selection == nil {
		return held.Included, ""
	}
	for _, lun := range append(DiskSelection{OSDisk}, selection...) {
		i := slices.IndexFunc(held.Included, func(d PointDisk) bool { return d.LUN == lun })
		if i < 0 {
			if lun == OSDisk {
				return nil, "the OS disk"
			}
			return nil, fmt.Sprintf("LUN %d", lun)
		}
		disks = append(disks, held.Included[i])
	}
	return disks, ""
}
