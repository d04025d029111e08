package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// backup starts an on-demand backup: the operation is over at once, its job goes on (azure-api.md §5, FACTS 9).
func (c *call) backup() reply {
	v, it, none := c.item()
	if none != nil {
		return *none
	}
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	request := parse(c.body).sub("properties")
	if request.text("objectType") != "IaasVMBackupRequest" {
		return fail(http.StatusBadRequest, "BMSUserErrorInvalidInput", "Input for backup is not in proper format.") // FACTS 36; UNVERIFIED code
	}
	if r := c.itemBusy(it.key); r != nil {
		return *r
	}
	if c.st.backingUp(it.key) != nil {
		return c.unverified("backup-running", "You can't start a new backup job until the current job finishes.")
	}
	if !it.active() {
		return c.unverified("backup-stopped", "Backup of an item whose protection is stopped cannot be started.")
	}
	expiry := c.now.AddDate(0, 0, 30) // azure-api.md §5
	if t, err := time.Parse(time.RFC3339Nano, request.text("recoveryPointExpiryTimeInUTC")); err == nil {
		expiry = t
	}
	op := c.s.startBackup(c.now, v, it, expiry)
	id := c.guid("backup")
	itemPath := strings.TrimSuffix(c.path, "/"+lastSegment(c.path))
	op.ID, op.Version = id, c.version
	op.StatusPath, op.ResultPath = itemPath+"/operationsStatus/"+id, itemPath+"/operationResults/"+id
	op.State, op.Ends = inProgress, c.now.Add(c.s.lasts("trigger", it.key))
	c.begin(op)
	return c.accepted(op)
}

// startBackup files the job of a backup and returns the operation that will end it; the caller names and starts it.
func (s *Server) startBackup(now time.Time, v *vault, it *item, expiry time.Time) *operation {
	snapshot := now.Add(s.lasts("snapshot", it.key))
	extended := obj(
		"tasksList", []object{
			task("Take Snapshot", stamp(now), inProgress),
			task("Transfer data to vault", noTime, "NotStarted"),
		},
		"propertyBag", obj("VM Name", it.friendly, "Recovery Point Expiry Time in UTC", expiry.UTC().Format("1/2/2006 3:04:05 PM")),
		"internalPropertyBag", obj("IsInstantRpJob", "True"))
	id := s.fileJob(now, v, it.friendly, it.tail, "Backup", extended, []string{"Cancellable"})
	return &operation{
		Action: actBackup, Vault: v.key, Target: it.key, Started: now, State: succeeded, Jobs: []string{id},
		Snapshot: snapshot, Handover: snapshot.Add(s.lasts("handover", it.key)), JobEnds: snapshot.Add(s.lasts("transfer", it.key)),
		Request: obj("expiry", stamp(expiry)).bytes(),
	}
}

func task(name, started, status string) object {
	// What has not begun or ended shows the year 1 without a zone (azure-api.md §5).
	return obj("taskId", name, "startTime", started, "endTime", noTime,
		"duration", "PT0S", "status", status, "taskType", "Normal")
}

// snapshotTaken ends the first task of a backup job; the recovery point may be there already (a setting). Of a
// restore it is when progress is first told, as recorded.
func (s *Server) snapshotTaken(op *operation, at time.Time) {
	if op.Action == actRestore {
		s.restored(op, 50, at)
		return
	}
	s.editBackupJob(op, func(p *object) {
		p.put("extendedInfo", editTasks(p.raw("extendedInfo"), func(t *object) {
			if t.text("taskId") == "Take Snapshot" {
				endTask(t, op.Started, at)
			}
		}))
	})
	if s.set.PointAtSnapshot && !op.JobFails {
		s.addPoint(op, at)
	}
}

// transferBegan tells of the second task, which began when the first ended.
func (s *Server) transferBegan(op *operation) {
	s.editBackupJob(op, func(p *object) {
		began := ""
		p.put("extendedInfo", editTasks(p.raw("extendedInfo"), func(t *object) {
			if t.text("status") == "NotStarted" {
				t.set("startTime", began)
				t.set("status", inProgress)
			}
			began = t.text("endTime")
		}))
	})
}

func endTask(t *object, from, at time.Time) {
	t.set("endTime", stamp(at))
	t.set("duration", isoDuration(at.Sub(from)))
	t.set("status", "Completed")
}

func (s *Server) editBackupJob(op *operation, change func(*object)) {
	for _, id := range op.Jobs {
		if j := s.st.jobs.get(op.Vault + "/backupjobs/" + id); j != nil {
			s.st.putJob(edit(s.st.read(j.body), change, "properties"))
		}
	}
}

// backupEnded ends a backup's job; the item is Protected and has a recovery point from now on (azure-api.md §3, §5).
func (s *Server) backupEnded(op *operation, at time.Time) {
	if op.Action == actRestore {
		s.restored(op, 100, at)
		s.endJobs(op, at)
		return
	}
	if op.Handover = (time.Time{}); op.Snapshot.IsZero() {
		s.transferBegan(op)
	}
	s.editBackupJob(op, func(p *object) {
		p.put("extendedInfo", edit(editTasks(p.raw("extendedInfo"), func(t *object) {
			if started, err := time.Parse(time.RFC3339Nano, t.text("startTime")); err == nil && t.text("status") == inProgress {
				endTask(t, started, at)
			}
		}), func(bag *object) {
			if !op.JobFails {
				bag.set("Backup Size", itoa(1000+int(s.chance("size", op.Target)*30000))+" MB")
			}
		}, "propertyBag"))
	})
	s.endJobs(op, at)
	it := s.st.items.get(op.Target)
	if it == nil || it.deleted {
		return
	}
	if op.JobFails {
		s.st.putItem(edit(s.st.read(it.body), func(p *object) {
			p.set("lastBackupStatus", "Failed")
			p.set("lastBackupTime", stamp(op.Started))
		}, "properties"))
		return
	}
	if !s.set.PointAtSnapshot {
		s.addPoint(op, at)
	}
}

// addPoint makes a recovery point as recorded and tells the item of it.
func (s *Server) addPoint(op *operation, at time.Time) {
	it := s.st.items.get(op.Target)
	if it == nil {
		return
	}
	body := s.st.read(it.body)
	id := s.digits(at, "point "+it.key, 15)
	machine := s.st.vms.get(it.vm)
	size, osType := "Standard_DS1_v2", "Windows"
	if machine != nil {
		props := get(s.st.read(machine.body), "properties")
		size = first(text(props, "hardwareProfile", "vmSize"), size)
		osType = first(text(props, "storageProfile", "osDisk", "osType"), osType)
	}
	tier := "V1"
	if p := s.st.policies.get(it.policy); p != nil {
		tier = s.st.tier(p)
	}
	pointID := text(body, "id") + "/recoveryPoints/" + id
	s.st.putPoint(obj("id", pointID, "name", id, "type", itemType+"/recoveryPoints", "properties", obj(
		"objectType", "IaasVMRecoveryPoint", "recoveryPointType", "AppConsistent", "recoveryPointTime", stamp(op.Started),
		"recoveryPointAdditionalInfo", "", "sourceVMStorageType", "PremiumVMOnPartialPremiumStorage",
		"isSourceVMEncrypted", false, "isInstantIlrSessionActive", false,
		"recoveryPointTierDetails", []object{obj("type", "InstantRP", "status", "Valid"), obj("type", "HardenedRP", "status", "Valid")},
		"isManagedVirtualMachine", true, "virtualMachineSize", size, "originalStorageAccountOption", false, "osType", osType,
		"recoveryPointMoveReadinessInfo", obj("ArchivedRP", obj("isReadyForMove", false,
			"additionalInfo", "We're still determining if this Recovery Point can be moved.. Please check again after some time.")),
		"securityType", "None", "isPrivateAccessEnabledOnAnyDisk", false, "createdWithPolicyType", tier,
		"threatStatus", 0, // a number where the SDK wants a string (azure-api.md §11)
	)).bytes())
	s.st.putItem(edit(body, func(p *object) {
		if it.state == "IRPending" || it.state == "ProtectionError" {
			p.set("protectionState", "Protected")
		}
		p.setBefore("lastBackupStatus", "healthDetails", []object{obj("code", 400239, "title", "IaasVmHealthGreenDefault",
			"message", "Backup pre-check status of this virtual machine is OK.", "recommendations", []string{})})
		p.set("healthStatus", "Passed")
		p.set("protectionStatus", "Healthy")
		p.set("lastBackupStatus", "Completed")
		p.set("lastBackupTime", stamp(op.Started))
		p.setBefore("vaultId", "lastRecoveryPoint", stamp(op.Started))
		p.set("lastRecoveryPoint", stamp(op.Started))
	}, "properties"))
	s.scheduleExpiry(pointID, op, at)
}

// pointsOf are an item's recovery points, newest first (azure-api.md §11).
func (st *state) pointsOf(itemKey string) []*point {
	var out []*point
	st.points.group(itemKey, 0, func(_ int, p *point) bool { out = append(out, p); return true })
	slices.SortStableFunc(out, func(a, b *point) int { return b.taken.Compare(a.taken) })
	return out
}

func (c *call) pointsOf(itemKey string) []*point { return c.st.pointsOf(itemKey) }

func (c *call) listPoints() reply {
	_, it, none := c.item()
	if none != nil {
		return *none
	}
	f, err := parseFilter(query(c.r.URL.RawQuery)["$filter"])
	if err == nil {
		err = f.only("startDate", "endDate", "restorePointQueryType", "extendedInfo", "moveReadyRPOnly", "includeSoftDeletedRP")
	}
	if err != nil {
		return c.unverified("filter-input", "The filter is not valid: %s", err)
	}
	w := timeWindow{to: c.now}
	for _, cond := range f {
		t, err := time.Parse(jobDate, cond.value)
		switch {
		case err != nil:
		case strings.EqualFold(cond.name, "startDate"):
			w.from = t
		case strings.EqualFold(cond.name, "endDate"):
			w.to = t
		}
	}
	var bodies [][]byte
	for _, p := range c.st.pointsOf(it.key) {
		if w.holds(p.taken) {
			bodies = append(bodies, c.pointBody(p))
		}
	}
	return c.list("points", slice(bodies))
}

// pointBody writes threatStatus as the api-version has it: a number, or later a word (UNVERIFIED since when).
func (c *call) pointBody(p *point) []byte {
	body := c.st.read(p.body)
	if c.version < c.s.set.Unverified["threat-status-is-a-word-since"] || string(get(body, "properties", "threatStatus")) != "0" {
		return body
	}
	return edit(body, func(o *object) { o.set("threatStatus", "Unknown") }, "properties")
}

func (c *call) getPoint() reply {
	_, it, none := c.item()
	if none != nil {
		return *none
	}
	for _, p := range c.st.pointsOf(it.key) {
		if strings.EqualFold(p.id, c.params["point"]) {
			return ok(c.pointBody(p))
		}
	}
	return fail(http.StatusNotFound, "BMSUserErrorRecoveryPointNotFound", "The recovery point was not found.") // UNVERIFIED code
}

// restore starts a job and restores nothing: there are no disks here.
func (c *call) restore() reply {
	v, it, none := c.item()
	if none != nil {
		return *none
	}
	if err := validObject(c.body); err != nil {
		return invalidContent(err)
	}
	if r := c.getPoint(); r.status != http.StatusOK {
		return r
	}
	sent := parse(c.body).sub("properties")
	extended := obj(
		"tasksList", []object{obj("taskId", "Transfer data from vault", "duration", "PT0S", "status", inProgress, "taskType", "Normal")},
		"propertyBag", obj("Job Type", "Recover disks", "Target VM Name", "vmName",
			"Target Storage Account Name", lastSegment(sent.text("storageAccountId")), "Recovery point time ", c.pointTime(it)),
		"internalPropertyBag", obj("restoreLocationType", first(sent.text("recoveryType"), "RestoreDisks")),
		"progressPercentage", json.RawMessage("1.0"), "dynamicErrorMessage", "")
	id := c.guid("restore")
	itemPath := before(c.path, "recoveryPoints")
	op := &operation{
		ID: id, Action: actRestore, Vault: v.key, Target: it.key, Version: c.version, State: inProgress,
		StatusPath: itemPath + "/operationsStatus/" + id, ResultPath: itemPath + "/operationResults/" + id,
		Started: c.now, Ends: c.now.Add(c.s.lasts("trigger", it.key)),
	}
	takes := c.s.lasts("restore", it.key)
	op.Snapshot, op.JobEnds = c.now.Add(takes*3/10), c.now.Add(takes)
	op.Jobs = []string{c.s.fileJob(c.now, v, it.friendly, it.tail, "Restore", extended, []string{"Cancellable"})}
	c.begin(op)
	return c.accepted(op)
}

// restoredGB is how much a restore transfers.
const restoredGB = 127

// restored writes how far a restore got.
func (s *Server) restored(op *operation, percent int, at time.Time) {
	done := strconv.FormatFloat(restoredGB*float64(percent)/100, 'f', -1, 64)
	if op.Handover = (time.Time{}); op.Snapshot.IsZero() {
		s.transferBegan(op)
	}
	s.editBackupJob(op, func(p *object) {
		p.put("extendedInfo", edit(editTasks(p.raw("extendedInfo"), func(t *object) {
			t.setBefore("taskType", "taskExecutionDetails", done+" GBs / "+itoa(restoredGB)+" GBs Transferred")
			if percent == 100 {
				t.set("status", "Completed")
			}
		}), func(e *object) {
			e.set("progressPercentage", json.RawMessage(itoa(percent)+".0"))
			if percent < 100 {
				e.setBefore("dynamicErrorMessage", "estimatedRemainingDuration", isoDuration(op.JobEnds.Sub(at)))
				return
			}
			e.set("estimatedRemainingDuration", "PT0S")
			e.del("dynamicErrorMessage")
			e.put("propertyBag", edit(e.raw("propertyBag"), func(bag *object) { restoredBlobs(bag, op) }))
		}))
	})
}

// restoredBlobs tells where the restored configuration would lie.
func restoredBlobs(bag *object, op *operation) {
	container := "vm-" + strings.ReplaceAll(op.Jobs[0], "-", "")
	base := "https://" + bag.text("Target Storage Account Name") + ".blob.core.windows.net/" + container + "/"
	bag.set("Config Blob Name", "config-vm-"+op.Jobs[0]+".json")
	bag.set("Config Blob Container Name", container)
	bag.set("Config Blob Uri", base+"config-vm-"+op.Jobs[0]+".json")
	bag.set("Template Blob Uri", base+"azuredeploy"+op.Jobs[0]+".json")
}

func (c *call) pointTime(it *item) string {
	for _, p := range c.st.pointsOf(it.key) {
		if strings.EqualFold(p.id, c.params["point"]) {
			return p.taken.UTC().Format("1/2/2006 3:04:05 PM")
		}
	}
	return ""
}

// adopt gives jobs that ran when the estate was taken an end, and soft-deleted items their purge.
func (s *Server) adopt() {
	now := s.clock.now()
	known := map[string]bool{}
	for _, op := range s.st.ops {
		for _, id := range op.Jobs {
			known[id] = true
		}
		known[op.ID] = true
	}
	s.st.jobs.all(0, func(_ int, j *job) bool {
		if known[j.id] || j.status != inProgress && j.status != "Cancelling" {
			return true
		}
		op := &operation{
			ID: "adopted|" + j.id, Action: actAdopted, Vault: j.vault, Target: j.item, Started: j.started,
			Jobs: []string{j.id}, State: inProgress, Ends: now.Add(s.lasts(adoptedSpan(j.operation), j.item)),
		}
		if strings.EqualFold(j.operation, "Backup") {
			op.Action, op.State, op.Ends = actBackup, succeeded, j.started
			op.JobEnds = now.Add(s.lasts("transfer", j.item))
			op.Request = obj("expiry", stamp(j.started.AddDate(0, 0, 30))).bytes()
		}
		s.st.start(op)
		return true
	})
	s.st.items.all(0, func(_ int, it *item) bool {
		if it.deleted && !known["purge|"+it.key+"|"+stamp(s.st.purgeTime(it))] {
			s.schedulePurge(it)
		}
		return true
	})
}

func adoptedSpan(operation string) string {
	switch operation {
	case "ConfigureBackup":
		return actProtect
	case "DisableBackup":
		return actStop
	case "DeleteBackupData":
		return actHardDelete
	case "Undelete":
		return actUndelete
	}
	return actRestore
}

// finishAdopted: what such a job was to do is not known, so only the job ends.
func (s *Server) finishAdopted(*operation, time.Time) {}
