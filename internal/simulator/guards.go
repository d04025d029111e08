package simulator

import (
	"time"

	"github.com/azbackup/azbackup/internal/simulator/ids"
	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/reply"
	"github.com/azbackup/azbackup/internal/simulator/rules"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// unlockFor is how long an unlocked item may be deleted (docs/azure.md §6).
const unlockFor = 30 * time.Minute

// unlockDelete permits the deletion of a guarded item (docs/azure.md §6).
func (rc *requestContext) unlockDelete() reply.Reply {
	v, none := rc.vault()
	if none != nil {
		return *none
	}
	if err := rawjson.CheckObject(rc.body); err != nil {
		return invalidContent(err)
	}
	sent := rawjson.Parse(rc.body)
	if rc.st.Proxies.Count(v.Key) == 0 || !rules.NamesGuardRequest(sent) {
		return *rc.rules().GuardRequired("")
	}
	if rc.st.Service.Unlocked == nil {
		rc.st.Service.Unlocked = map[string]time.Time{}
	}
	until := rc.now.Add(unlockFor)
	target := sent.Text("resourceToBeDeleted")
	rc.st.Service.Unlocked[state.ItemKey(ids.Key(ids.VaultPart(target)), ids.ContainerKeyOf(ids.LastSegment(target)))] = until
	rc.st.MarkDirty()
	return reply.OK(rawjson.NewObject("unlockDeleteExpiryTime", rawjson.Time(until)).Bytes())
}
