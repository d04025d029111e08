package simtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/simulator"
)

// scenario is everything that a seed determines: the estate, the file, the service's behaviour, the faults, and how
// often the program is killed.
type scenario struct {
	seed     uint64
	estate   string
	yaml     string
	settings simulator.Settings
	machines []*machine
	cuts     []cut // of the first walks
	// interrupt is when the first walk that is not cut is interrupted; 0 = never.
	interrupt, grace time.Duration
	// isTwoAtOnce makes two programs apply the same file at the same time.
	isTwoAtOnce    bool
	needsRefresh   bool // protecting needs a refresh
	hasInjected429 bool // an injected 429
	hasHiddenLists bool // an injected fault hides items or jobs from lists
	// hasConcurrentClient adds another client that changes the estate at any request of the first walks.
	hasConcurrentClient bool
	wanted              []string // the vaults of the file
}

// cut kills a walk at its n-th request, before or after its effect, and then advances the clock.
type cut struct {
	n      int
	effect bool
	pause  time.Duration
}

// machine is a VM with its item in the estate and its target in the file.
type machine struct {
	id    string
	app   string // its tag, by which a rule selects it
	vault string // of its initial item; "" = none
	begin itemState
	// isTouched reports that another client changed its item: then our invariants do not apply to it.
	isTouched bool
	// hasFaultyOperation reports that an operation on it fails, hangs, lies or is hidden.
	hasFaultyOperation bool
	// isHidden reports that some reads do not show its item.
	isHidden bool
	// isStuck reports that an operation on it never ends.
	isStuck bool
}

func (m *machine) container() string {
	id, err := armid.ParseVM(m.id)
	if err != nil {
		panic(err)
	}
	return strings.ToLower("iaasvmcontainerv2;" + id.ResourceGroup + ";" + id.Name())
}

// wantedState returns a machine's target in the file: a policy, "stopped", or "" for unmanaged.
func (m *machine) wantedState() string {
	return map[string]string{"a": "daily", "b": "long", "c": "made", "d": "stopped", "f": "daily"}[m.app]
}

const exampleRules = `vms:
  - {name: a, match: {tags: {app: a}}, policy: daily, spread: true}
  - {name: b, match: {tags: {app: b}}, policy: long, spread: true}
  - {name: c, match: {tags: {app: c}}, policy: made, spread: true, disks: {include: [0]}}
  - {name: d, match: {tags: {app: d}}, protect: stopped}
  - {name: e, match: {tags: {app: e}}, protect: false, reason: it is rebuilt every night}
  - {name: f, match: {tags: {app: f}}, policy: daily, spread: true, backup: {ifOlderThan: 24h}}
`

func newScenario(seed uint64) *scenario {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	s := &scenario{seed: seed}
	set := s.chooseConcurrentClient()
	e := &estate{}
	yaml := "version: 1\n"
	var subs, vaults []string
	for i := range 1 + r.IntN(2) {
		subs = append(subs, subscriptionID(i+1))
	}
	e.subscriptions = subs
	yaml += "subscriptions: [" + strings.Join(subs, ", ") + "]\nvaults:\n"
	for i := range len(subs) + r.IntN(3) {
		sub := subs[i%len(subs)]
		id := armid.Vault(sub, "rg-backup", fmt.Sprintf("vault%d", i))
		yaml += fmt.Sprintf("  - {name: vault%d, subscription: %s, resourceGroup: rg-backup, location: westeurope, manage: true, redundancy: GeoRedundant%s}\n", i, sub, set())
		s.wanted = append(s.wanted, id)
		if i >= len(subs) && r.IntN(3) == 0 {
			continue // to be created
		}
		vaults = append(vaults, id)
		e.addVault(id, "westeurope")
		e.addPolicy(id, "daily", 30)
		if r.IntN(3) > 0 {
			e.addPolicy(id, "long", 60)
		}
		if r.IntN(3) == 0 {
			e.addPolicy(id, "made", 10) // to be updated
		}
	}
	yaml += "policies:\n"
	for _, p := range []struct {
		name string
		days int
	}{{"daily", 30}, {"long", 60}, {"made", 14}} {
		yaml += fmt.Sprintf("  - {name: %s, manage: true, tier: Standard, timeZone: UTC, schedule: {daily: {at: \"22:00\"}}, instantRestoreDays: 2, retention: {days: %d}}\n", p.name, p.days)
	}
	yaml += exampleRules + fmt.Sprintf("settings: {refresh: auto, limits: {writes: %d, polls: %d, operations: %d, itemTimeout: 40m, runTimeout: 5h}}\n",
		1+r.IntN(8), 1+r.IntN(4), 1+r.IntN(30))
	for i := range 1 + r.IntN(24) {
		s.addMachine(r, e, subs, vaults, i)
	}
	s.estate, s.yaml = e.json(), yaml
	s.chooseService(r)
	s.chooseTrouble(r)
	return s
}

// chooseConcurrentClient decides whether another client is at work, and then the file's vault settings, so that the
// client can change them. It draws from a source of its own: without the other client a seed's scenario is unchanged.
func (s *scenario) chooseConcurrentClient() (settings func() string) {
	r := rand.New(rand.NewPCG(s.seed, 0xc0))
	if s.hasConcurrentClient = *concurrentClients && r.IntN(2) == 0; !s.hasConcurrentClient {
		return func() string { return "" }
	}
	return func() string {
		said := ""
		for _, one := range []string{"softDeleteDays: 20", "softDeleteDays: 60", "publicNetworkAccess: false", "publicNetworkAccess: true", "immutability: Disabled", "immutability: Unlocked"} {
			name, _, _ := strings.Cut(one, ":")
			if r.IntN(4) == 0 && !strings.Contains(said, name) {
				said += ", " + one
			}
		}
		if r.IntN(2) == 0 {
			said += ", tags: {owner: platform}"
		}
		return said
	}
}

// addMachine adds a VM, and mostly an item in one of the states an item can have.
func (s *scenario) addMachine(r *rand.Rand, e *estate, subs, vaults []string, i int) {
	sub := subs[r.IntN(len(subs))]
	m := &machine{id: armid.VM(sub, "RG-App", fmt.Sprintf("VM%02d", i)), app: string("aabcdefffx"[r.IntN(10)])}
	s.machines = append(s.machines, m)
	e.addVM(m.id, "westeurope", map[string]string{"app": m.app})
	var mine []string
	for _, v := range vaults {
		if strings.EqualFold(armid.SubscriptionOf(v), sub) {
			mine = append(mine, v)
		}
	}
	if len(mine) == 0 {
		return
	}
	old := time.Date(1999, 12, 20+r.IntN(11), 22, 30, 0, 0, time.UTC)
	switch r.IntN(7) {
	case 0, 1:
		m.begin = itemState{state: "Protected", policy: "daily", lastPoint: old}
	case 2:
		m.begin = itemState{state: "IRPending", policy: "daily"}
	case 3:
		m.begin = itemState{state: "ProtectionStopped", lastPoint: old}
	case 4:
		m.begin = itemState{state: "ProtectionStopped", softDeleted: true, lastPoint: old}
	default:
		return
	}
	if r.IntN(4) == 0 && !m.begin.softDeleted {
		m.begin.disks = `{"diskLunList":[0],"isInclusionList":true}`
	}
	m.vault = mine[r.IntN(len(mine))]
	e.addItem(m.vault, m.id, m.begin)
}

// chooseService decides how the service behaves when all is well.
func (s *scenario) chooseService(r *rand.Rand) {
	set := &s.settings
	set.Seed, set.UnsignedURLs = s.seed, true
	set.Latency = simulator.Fixed(time.Duration(10+r.IntN(290)) * time.Millisecond)
	switch r.IntN(3) {
	case 0:
		set.Durations = map[string]simulator.Range{"": simulator.Fixed(time.Duration(1+r.IntN(90)) * time.Second)}
	case 1:
		set.Distributions = map[string]simulator.Distribution{"protect": {
			{Share: 0.5, Takes: simulator.Duration(36 * time.Second)}, {Share: 0.5, Takes: simulator.Duration(71 * time.Second)},
		}}
	}
	retry := []int{-1, 0, 1, 60}[r.IntN(4)]
	set.RetryAfter = &retry
	if r.IntN(2) == 0 {
		set.Pages = map[string]int{"": 2 + r.IntN(20)}
	}
	if r.IntN(2) == 0 {
		set.Quota = []string{"150", "1100"}[r.IntN(2)]
		set.OtherClients = r.IntN(2) * 40
	}
	set.PolicyChangeDropsDiskFilter = r.IntN(3) == 0
	set.ProtectNeedsRefresh = r.IntN(4) == 0
	s.needsRefresh = set.ProtectNeedsRefresh
}

// chooseTrouble chooses the faults. A third of the seeds has none.
func (s *scenario) chooseTrouble(r *rand.Rand) {
	if r.IntN(3) == 0 {
		return
	}
	for range r.IntN(4) {
		s.cuts = append(s.cuts, cut{n: r.IntN(80), effect: r.IntN(2) == 0, pause: time.Duration(r.IntN(600)) * time.Second})
	}
	if r.IntN(5) == 0 {
		s.interrupt = time.Duration(1+r.IntN(120)) * time.Second
		s.grace = time.Duration(r.IntN(300)) * time.Second
	}
	s.isTwoAtOnce = r.IntN(6) == 0 && !s.hasConcurrentClient // with both, the reads that a write relies on are ambiguous
	for i := range r.IntN(6) {
		s.addFault(r, fmt.Sprintf("fault %d", i))
	}
}

// addFault adds one fault, with a limited number of hits.
func (s *scenario) addFault(r *rand.Rand, name string) {
	m := s.machines[r.IntN(len(s.machines))]
	item := "*/protectedItems/*;" + m.id[strings.LastIndex(m.id, "/")+1:]
	f := simulator.Fault{Name: name, Nth: 1 + r.IntN(6), Times: 1 + r.IntN(3)}
	kinds := []string{"item.put", "item.put", "item.backup", "policy.put", "vault.put", "refresh"}
	reads := []string{"items.list", "jobs.list", "policies.list", "vms.list", "vault.get", "item.status", "policy.get", "job.get"}
	statuses := []int{500, 502, 503, 504}
	switch r.IntN(13) {
	case 0:
		f.Kind, f.Reset = kinds[r.IntN(len(kinds))], []string{"before", "after"}[r.IntN(2)]
	case 1:
		f.Kind, f.Reset = []string{"item.put", "item.backup"}[r.IntN(2)], "after"
	case 2:
		f.Kind, f.Status, f.AfterEffect = kinds[r.IntN(len(kinds))], statuses[r.IntN(4)], r.IntN(2) == 0
	case 3:
		f.Kind, f.Status, f.Times = reads[r.IntN(len(reads))], statuses[r.IntN(4)], 1+r.IntN(40)
	case 4:
		f.Kind, f.Truncate = reads[r.IntN(4)], true
	case 5:
		f.Kind, f.Status, f.Code = append(kinds, reads...)[r.IntN(len(kinds)+len(reads))], 429, "TooManyRequests"
		s.hasInjected429 = true
		if r.IntN(2) == 0 {
			f.Headers = map[string]string{"Retry-After": fmt.Sprint(5 + r.IntN(90))}
		}
	case 6:
		f.Kind, f.Status, f.Code = "item.put", 409, "BMSUserErrorObjectLocked"
	case 7, 8:
		f.Kind, f.Path, f.Nth, f.Times = "item.put", item, 1, 1
		f.Operation = []string{"fails", "lies", "hangs"}[r.IntN(3)]
		f.Code, f.Message = "UserErrorGuestAgentStatusUnavailable", "the agent does not answer"
		m.hasFaultyOperation, m.isStuck = true, f.Operation == "hangs"
	case 9:
		f.Kind, f.Path, f.Nth, f.Times, f.Invisible = "item.put", item, 1, 1, 1+r.IntN(4)
		m.hasFaultyOperation, m.isHidden, s.hasHiddenLists = true, true, true
	case 10:
		f.Kind, f.Latency = kinds[r.IntN(len(kinds))], simulator.Duration(time.Duration(r.IntN(40))*time.Second)
	case 11:
		s.addActor(r, &f, m)
	case 12: // a reply is lost, and then the lists fail too
		f.Kind, f.Reset, f.Times = "item.put", "after", 1
		for _, kind := range []string{"items.list", "jobs.list"} {
			s.settings.Faults = append(s.settings.Faults, simulator.Fault{Name: name + " " + kind, Kind: kind, Status: 503, Nth: 2 + r.IntN(6), Times: 10 + r.IntN(40)})
		}
	}
	s.settings.Faults = append(s.settings.Faults, f)
}

// addActor makes another client change an item just before one of our requests.
func (s *scenario) addActor(r *rand.Rand, f *simulator.Fault, m *machine) {
	f.Kind, f.Times = []string{"items.list", "item.put", "jobs.list"}[r.IntN(3)], 1
	if m.vault == "" || m.begin.softDeleted {
		return // no item to change
	}
	m.isTouched = true
	a := simulator.ConcurrentClient{Method: "PUT", Path: itemPath(m.vault, m)}
	props := map[string]any{"protectedItemType": "Microsoft.Compute/virtualMachines", "sourceResourceId": m.id}
	switch r.IntN(3) {
	case 0:
		props["policyId"] = armid.Policy(m.vault, "daily")
	case 1:
		props["policyId"], props["protectionState"] = "", "ProtectionStopped"
	case 2:
		a.Method = "DELETE"
	}
	if a.Method == "PUT" {
		a.Body, _ = json.Marshal(map[string]any{"properties": props})
	}
	f.ConcurrentClients = []simulator.ConcurrentClient{a}
}

func itemPath(vault string, m *machine) string {
	c := m.container()
	return vault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;" + c + "/protectedItems/VM;" + c + "?api-version=2025-08-01"
}
