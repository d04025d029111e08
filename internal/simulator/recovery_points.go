package simulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/query"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/rules"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// sourceDisk is a disk of a VM as stored in a recovery point.
type sourceDisk struct {
	// LUN is -1 for the OS disk (docs/azure.md §33.45).
	LUN        int             `json:"lun"`
	Name       string          `json:"name"`
	ID         string          `json:"id,omitempty"`
	SizeGB     int             `json:"sizeGB,omitempty"`
	OS         string          `json:"osType,omitempty"`
	Generation string          `json:"generation,omitempty"`
	Storage    string          `json:"storage,omitempty"`
	Tags       json.RawMessage `json:"tags,omitempty"`
}

// disksOf returns the disks of an item's VM, split by the item's disk filter. Of a deleted VM nothing is known: it has
// one made-up OS disk.
func (s *Server) disksOf(it *state.Item) (included, excluded []sourceDisk) {
	machine := s.st.VMs.Get(it.VM)
	if machine == nil {
		return []sourceDisk{{LUN: -1, Name: it.Friendly + "_OsDisk_1", SizeGB: 127, OS: "Windows", Generation: "V1"}}, nil
	}
	props := rawjson.RawAt(s.st.Read(machine.Body), "properties")
	generation := "V1"
	if strings.EqualFold(rawjson.TextAt(props, "securityProfile", "securityType"), "TrustedLaunch") {
		generation = "V2"
	}
	os := s.sourceDisk(rawjson.RawAt(props, "storageProfile", "osDisk"), -1, machine.Name+"_OsDisk_1")
	os.OS, os.Generation = cmp.Or(os.OS, "Windows"), cmp.Or(os.Generation, generation)
	included = append(included, os)
	var filter struct {
		Luns    []int `json:"diskLunList"`
		Include bool  `json:"isInclusionList"`
	}
	filtered := json.Unmarshal(rawjson.RawAt(s.st.Read(it.Body), "properties", "extendedProperties", "diskExclusionProperties"), &filter) == nil
	disks := rawjson.RawAt(props, "storageProfile", "dataDisks")
	if i := rawjson.SkipSpace(disks, 0); i < len(disks) && disks[i] == '[' {
		_, _ = rawjson.WalkArray(disks, i, 0, func(raw []byte) {
			lun := rawjson.Number(raw, "lun")
			d := s.sourceDisk(raw, lun, machine.Name+"_DataDisk_"+strconv.Itoa(lun))
			d.OS, d.Generation = "", ""
			if filtered && slices.Contains(filter.Luns, lun) != filter.Include {
				excluded = append(excluded, d)
			} else {
				included = append(included, d)
			}
		})
	}
	return included, excluded
}

// sourceDisk reads a disk of a VM's body; the disk's own body takes precedence.
func (s *Server) sourceDisk(raw []byte, lun int, name string) sourceDisk {
	d := sourceDisk{
		LUN: lun, Name: cmp.Or(rawjson.TextAt(raw, "name"), name), ID: rawjson.TextAt(raw, "managedDisk", "id"), SizeGB: rawjson.Number(raw, "diskSizeGB"),
		OS: rawjson.TextAt(raw, "osType"), Storage: rawjson.TextAt(raw, "managedDisk", "storageAccountType"),
	}
	if own := s.st.Disks.Get(ids.Key(d.ID)); own != nil {
		body := s.st.Read(own.Body)
		d.Generation, d.Tags = rawjson.TextAt(body, "properties", "hyperVGeneration"), slices.Clone(rawjson.RawAt(body, "tags"))
		if size := rawjson.Number(body, "properties", "diskSizeGB"); size > 0 {
			d.SizeGB = size
		}
	}
	if d.SizeGB == 0 {
		d.SizeGB = 127
	}
	return d
}

// disksIn returns the disks in a recovery point: as recorded at its creation here, or by the names in its body, or
// else as the VM is now.
func (s *Server) disksIn(p *state.Point, it *state.Item) []sourceDisk {
	body := s.st.Read(p.Body)
	var disks []sourceDisk
	if json.Unmarshal(rawjson.RawAt(body, privateKey, "disks"), &disks) == nil && len(disks) > 0 {
		return disks
	}
	now, _ := s.disksOf(it)
	_ = json.Unmarshal(rawjson.RawAt(body, "properties", "recoveryPointDiskConfiguration", "includedDiskList"), &disks)
	if len(disks) == 0 {
		if os := rawjson.TextAt(body, "properties", "osType"); os != "" && s.st.VMs.Get(it.VM) == nil {
			now[0].OS = os // of a VM that is gone only its points tell
		}
		return now
	}
	for i, d := range disks {
		disks[i].SizeGB = 127
		if d.LUN < 0 {
			disks[i].OS, disks[i].Generation = cmp.Or(rawjson.TextAt(body, "properties", "osType"), "Windows"), "V1"
		}
		for _, n := range now {
			if strings.EqualFold(n.Name, d.Name) {
				disks[i] = n
			}
		}
	}
	return disks
}

// privateKey is the key of a body for data of the simulator alone; no reply shows it.
const privateKey = "simulation"

// diskConfiguration returns a point's description of its disks. It was recorded only for items with a disk filter
// (docs/azure.md §33.45).
func diskConfiguration(included, excluded []sourceDisk) rawjson.Object {
	list := func(disks []sourceDisk) []rawjson.Object {
		out := []rawjson.Object{}
		for _, d := range disks {
			out = append(out, rawjson.NewObject("lun", d.LUN, "name", d.Name))
		}
		return out
	}
	return rawjson.NewObject("numberOfDisksIncludedInBackup", len(included), "numberOfDisksAttachedToVm", len(included)+len(excluded),
		"includedDiskList", list(included), "excludedDiskList", list(excluded))
}

// addPoint creates a recovery point as recorded and updates the item.
func (s *Server) addPoint(op *state.Operation, at time.Time) {
	it := s.st.Items.Get(op.Target)
	if it == nil {
		return
	}
	body := s.st.Read(it.Body)
	id := s.digits(at, "point "+it.Key, 15)
	machine := s.st.VMs.Get(it.VM)
	size, osType := "Standard_DS1_v2", "Windows"
	if machine != nil {
		props := rawjson.RawAt(s.st.Read(machine.Body), "properties")
		size = cmp.Or(rawjson.TextAt(props, "hardwareProfile", "vmSize"), size)
		osType = cmp.Or(rawjson.TextAt(props, "storageProfile", "osDisk", "osType"), osType)
	}
	tier := "V1"
	if p := s.st.Policies.Get(it.Policy); p != nil {
		tier = rules.PolicyTypeOf(s.st, p)
	}
	pointID := rawjson.TextAt(body, "id") + "/recoveryPoints/" + id
	included, excluded := s.disksOf(it)
	made := rawjson.NewObject("id", pointID, "name", id, "type", itemType+"/recoveryPoints", "properties", rawjson.NewObject(
		"objectType", "IaasVMRecoveryPoint", "recoveryPointType", "AppConsistent", "recoveryPointTime", rawjson.Time(op.Started),
		"recoveryPointAdditionalInfo", "", "sourceVMStorageType", "PremiumVMOnPartialPremiumStorage",
		"isSourceVMEncrypted", false, "isInstantIlrSessionActive", false,
		"recoveryPointTierDetails", []rawjson.Object{rawjson.NewObject("type", "InstantRP", "status", "Valid"), rawjson.NewObject("type", "HardenedRP", "status", "Valid")},
		"isManagedVirtualMachine", true, "virtualMachineSize", size, "originalStorageAccountOption", false, "osType", osType,
		"recoveryPointMoveReadinessInfo", rawjson.NewObject("ArchivedRP", rawjson.NewObject("isReadyForMove", false,
			"additionalInfo", "We're still determining if this Recovery Point can be moved.. Please check again after some time.")),
		"securityType", "None", "isPrivateAccessEnabledOnAnyDisk", false, "createdWithPolicyType", tier,
		"threatStatus", 0, // a number where the SDK expects a string (docs/azure.md §11)
	), privateKey, rawjson.NewObject("disks", included))
	if rawjson.RawAt(body, "properties", "extendedProperties", "diskExclusionProperties") != nil {
		made.Put("properties", rawjson.Edit(made.Raw("properties"), func(p *rawjson.Object) {
			p.SetBefore("recoveryPointMoveReadinessInfo", "recoveryPointDiskConfiguration", diskConfiguration(included, excluded))
		}))
	}
	s.st.PutPoint(made.Bytes())
	s.st.PutItem(rawjson.Edit(body, func(p *rawjson.Object) {
		if it.State == "IRPending" || it.State == "ProtectionError" {
			p.Set("protectionState", "Protected")
		}
		p.SetBefore("lastBackupStatus", "healthDetails", []rawjson.Object{rawjson.NewObject("code", 400239, "title", "IaasVmHealthGreenDefault",
			"message", "Backup pre-check status of this virtual machine is OK.", "recommendations", []string{})})
		p.Set("healthStatus", "Passed")
		p.Set("protectionStatus", "Healthy")
		p.Set("lastBackupStatus", "Completed")
		p.Set("lastBackupTime", rawjson.Time(op.Started))
		p.SetBefore("vaultId", "lastRecoveryPoint", rawjson.Time(op.Started))
		p.Set("lastRecoveryPoint", rawjson.Time(op.Started))
	}, "properties"))
	s.scheduleExpiry(pointID, op, at)
}

func (rc *requestContext) pointsOf(itemKey string) []*state.Point { return rc.st.PointsOf(itemKey) }

func (rc *requestContext) listPoints() reply.Reply {
	_, it, none := rc.item()
	if none != nil {
		return *none
	}
	f, err := query.ParseFilter(queryOf(rc.r.URL.RawQuery)["$filter"])
	if err == nil {
		err = f.CheckNames("startDate", "endDate", "restorePointQueryType", "extendedInfo", "moveReadyRPOnly", "includeSoftDeletedRP")
	}
	if err != nil {
		return rc.unverified("filter-input", "The filter is not valid: %s", err)
	}
	w := timeWindow{to: rc.now}
	for _, cond := range f {
		t, err := time.Parse(jobDate, cond.Value)
		switch {
		case err != nil:
		case strings.EqualFold(cond.Name, "startDate"):
			w.from = t
		case strings.EqualFold(cond.Name, "endDate"):
			w.to = t
		}
	}
	var bodies [][]byte
	for _, p := range rc.st.PointsOf(it.Key) {
		if w.contains(p.Taken) {
			bodies = append(bodies, rc.pointBody(p, false))
		}
	}
	return rc.list("points", slice(bodies))
}

// pointBody returns a point's body by api-version: threatStatus is a number or later a string, the expiry is present
// or not (both UNVERIFIED since when). A row of the list has less of the disks than a read of the single point
// (docs/azure.md §33.45).
func (rc *requestContext) pointBody(p *state.Point, one bool) []byte {
	return rawjson.Edit(rc.st.Read(p.Body), func(o *rawjson.Object) {
		o.Del(privateKey)
		o.Put("properties", rawjson.Edit(o.Raw("properties"), func(props *rawjson.Object) {
			if rc.version >= rc.s.set.Unverified["threat-status-is-a-word-since"] && string(props.Raw("threatStatus")) == "0" {
				props.Set("threatStatus", "Unknown")
			}
			if configuration := props.Raw("recoveryPointDiskConfiguration"); configuration != nil && !one {
				props.Put("recoveryPointDiskConfiguration", rawjson.Edit(configuration, func(d *rawjson.Object) { d.Del("includedDiskList", "excludedDiskList") }))
			}
			op := rc.st.Ops["expire|"+p.Key]
			if op != nil && !props.Has("recoveryPointProperties") && rc.version >= rc.s.set.Unverified["point-expiry-is-told-since"] {
				props.Set("recoveryPointProperties", rawjson.NewObject("expiryTime", rawjson.Time(op.Ends), "isSoftDeleted", false))
			}
		}))
	})
}

// point returns the recovery point of the path, or nil.
func (rc *requestContext) point(it *state.Item) *state.Point {
	for _, p := range rc.st.PointsOf(it.Key) {
		if strings.EqualFold(p.ID, rc.params["point"]) {
			return p
		}
	}
	return nil
}

func (rc *requestContext) getPoint() reply.Reply {
	_, it, none := rc.item()
	if none != nil {
		return *none
	}
	p := rc.point(it)
	if p == nil {
		return pointNotFound()
	}
	return reply.OK(rc.pointBody(p, true))
}

func pointNotFound() reply.Reply {
	return reply.Error(http.StatusNotFound, "BMSUserErrorRecoveryPointNotFound", "The recovery point was not found.") // UNVERIFIED code
}
