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
