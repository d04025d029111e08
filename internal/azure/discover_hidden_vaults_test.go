package azure

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/azbackup/azbackup/plan"
)

func auditScope() plan.Scope {
	return plan.Scope{Subscriptions: []string{sub}, AllVaults: true, Hidden: true}
}

func TestAVaultThatIsNotListedGivesItselfAway(t *testing.T) {
	protected := func(vault string) string {
		return `{"protectionStatus":"Protected","vaultId":"` + vault + `","containerName":"c","protectedItemName":"i","policyName":"Daily"}`
	}
	for name, c := range map[string]struct {
		answer string
		status int
		gaps   []string
		items  int
	}{
		"in a vault that is not listed": {protected(otherID), 200, []string{"items VaultNotVisible"}, 2},
		"in a vault that is listed":     {protected(strings.ToUpper(vaultID)), 200, nil, 2},
		"nowhere":                       {`{"protectionStatus":"NotProtected","containerName":"c"}`, 200, nil, 1},
		"the right to ask is missing":   {`{"error":{"code":"AuthorizationFailed","message":"no"}}`, 403, nil, 1},
		"the service is confused":       {`{"protectionStatus":"Dancing"}`, 200, []string{"status UnclearStatus"}, 1},
		"the answer is not understood":  {`{"protectionStatus":["NotProtected"]}`, 200, []string{"status UnclearStatus"}, 1},
	} {
		f := estate().on("GET", "/subscriptions", lists()).on("POST", statusPath, says(c.status, c.answer))
		o := discover(t, f.client(t, CommandAudit), auditScope())
		if d := cmp.Diff(c.gaps, gapKinds(o)); d != "" || len(o.Items) != c.items {
			t.Errorf("%s: items %+v %s", name, o.Items, d)
		}
		if n := f.count("POST", "/backupStatus"); n != 1 {
			t.Errorf("%s: asked %d times, VM2 alone has no item", name, n)
		}
	}
}

func TestQuestionsAboutHiddenVaultsAreFewAndSpread(t *testing.T) {
	var bodies []string
	for i := range 60 {
		bodies = append(bodies, strings.Replace(rawVM(fmt.Sprintf("VM%02d", i)), "RG-App", fmt.Sprintf("rg-%02d", i/4), 1))
	}
	slices.Reverse(bodies) // as they are sorted does not depend on the list
	f := estate().on("GET", "/subscriptions", lists()).on("GET", vmList, lists(bodies...)).
		on("GET", vaultID+"/backupProtectedItems", lists()).on("POST", statusPath, says(200, `{"protectionStatus":"NotProtected"}`))
	discover(t, f.client(t, CommandAudit), auditScope())
	groups := map[string]bool{}
	n := 0
	for _, r := range f.sent {
		if r.method == "POST" {
			n++
			if i, in := -1, strings.Index(r.body, "VM"); in < 0 {
				t.Errorf("asked for %s", r.body)
			} else if _, err := fmt.Sscanf(r.body[in:], "VM%d", &i); err != nil || i%4 != 0 && i > 8 {
				t.Errorf("VM%02d is neither the first of its group nor one of the first", i)
			}
			groups[strings.Split(r.body, "/")[4]] = true
		}
	}
	if n != maxHiddenChecks || len(groups) != 15 {
		t.Errorf("%d questions in %d groups, want %d in all 15", n, len(groups), maxHiddenChecks)
	}
}

func TestOnlyAuditsAskForHiddenVaults(t *testing.T) {
	f := estate().on("GET", "/subscriptions", lists())
	s := auditScope()
	s.Hidden = false
	discover(t, f.client(t, CommandExport), s)
	if n := f.count("POST", "/backupStatus"); n != 0 {
		t.Errorf("%d questions", n)
	}
}

const graphPath = "/providers/Microsoft.ResourceGraph/resources"

func TestResourceGraphIsReadPageByPage(t *testing.T) {
	page := func(token string, vms ...string) string {
		return `{"totalRecords":3,"count":1,"data":[` + strings.Join(vms, ",") + `],"facets":[],"resultTruncated":"false"` + token + `}`
	}
	f := estate().on("GET", "/subscriptions", lists()).on("POST", graphPath,
		says(200, page(`,"$skipToken":"next"`, rawVM("VM1"), rawVM("VM2"))), says(200, page("", rawVM("VM3"))))
	s := plan.Scope{Subscriptions: []string{sub}, AllVaults: true, Graph: true}
	o := discover(t, f.client(t, CommandAudit), s)
	if len(o.VMs) != 3 || len(o.Gaps) != 0 || f.count("GET", "/virtualMachines") != 0 {
		t.Errorf("VMs %+v, gaps %+v", o.VMs, o.Gaps)
	}
	var sent []string
	for _, r := range f.sent {
		if r.method == "POST" {
			sent = append(sent, r.body)
		}
	}
	if len(sent) != 2 || !strings.Contains(sent[1], `"$skipToken":"next"`) || !strings.Contains(sent[0], sub) || strings.Contains(sent[0], "skipToken") {
		t.Errorf("sent %v", sent)
	}
}

func TestResourceGraphThatAnswersInPartIsAGap(t *testing.T) {
	for name, answer := range map[string]string{
		"truncated":            `{"totalRecords":1,"data":[` + rawVM("VM1") + `],"resultTruncated":"true"}`,
		"fewer than it counts": `{"totalRecords":2,"data":[` + rawVM("VM1") + `],"resultTruncated":"false"}`,
		"a token that repeats": `{"totalRecords":2,"data":[` + rawVM("VM1") + `],"$skipToken":"again"}`,
	} {
		f := estate().on("GET", "/subscriptions", lists()).on("POST", graphPath, says(200, answer))
		o := discover(t, f.client(t, CommandAudit), plan.Scope{Subscriptions: []string{sub}, AllVaults: true, Graph: true})
		if d := cmp.Diff([]string{"vms ResultTruncated"}, gapKinds(o)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	nameless := `{"totalRecords":1,"data":[{"name":"VM1"}],"resultTruncated":"false"}`
	f := estate().on("GET", "/subscriptions", lists()).on("POST", graphPath, says(200, nameless))
	o := discover(t, f.client(t, CommandAudit), plan.Scope{Subscriptions: []string{sub}, AllVaults: true, Graph: true})
	if d := cmp.Diff([]string{"vms MalformedAnswer"}, gapKinds(o)); d != "" {
		t.Error(d)
	}
	f = estate().on("GET", "/subscriptions", lists()).on("POST", graphPath, fails(403, "AuthorizationFailed"))
	o = discover(t, f.client(t, CommandAudit), plan.Scope{Subscriptions: []string{sub}, AllVaults: true, Graph: true})
	if d := cmp.Diff([]string{"vms AuthorizationFailed"}, gapKinds(o)); d != "" {
		t.Error(d)
	}
}
