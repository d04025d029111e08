package azure

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

const (
	apiGraph = "2024-04-01"
	// graphPageSize is the largest page of Resource Graph (docs/azure.md §10).
	graphPageSize = 1000
	// graphBatchSize is the number of subscriptions per query; Azure advises fewer than 300.
	graphBatchSize = 200
	// graphVMQuery projects id, without which there is no paging, and the properties that decide about backup.
	graphVMQuery = "resources | where type =~ 'microsoft.compute/virtualmachines' | project id, name, location, tags, plan, properties"
)

// listVMsByGraph reads the VMs of all subscriptions from Resource Graph: a page per thousand VMs instead of a list per
// subscription. Its data is minutes to hours old, so it is for audits only.
func (d *discovery) listVMsByGraph(ctx context.Context) {
	for batch := range slices.Chunk(d.scope.Subscriptions, graphBatchSize) {
		found, err := d.queryGraph(ctx, batch)
		if err != nil {
			for _, s := range batch {
				d.recordGap(ctx, plan.Gap{Kind: plan.GapVMs, Subscription: s}, err)
			}
			continue
		}
		bySubscription := map[string][]plan.VM{}
		for _, vm := range found {
			sub := strings.ToLower(vm.Subscription)
			bySubscription[sub] = append(bySubscription[sub], vm)
		}
		for _, s := range batch {
			d.recordVMs(s, bySubscription[strings.ToLower(s)])
		}
	}
}

// queryGraph reads all pages of the query.
func (d *discovery) queryGraph(ctx context.Context, subscriptions []string) ([]plan.VM, error) {
	const op = "asking Resource Graph for VMs"
	type options struct {
		Format string `json:"resultFormat"`
		Top    int    `json:"$top"`
		Token  string `json:"$skipToken,omitempty"`
	}
	read := d.vmReader()
	var all []plan.VM
	for token := ""; ; {
		var page wire.GraphPage
		_, err := d.c.arm.Do(ctx, arm.Request{
			Op: op, Method: http.MethodPost, Class: quota.Other, URL: d.c.arm.URL("/providers/Microsoft.ResourceGraph/resources", apiGraph),
			Body:   map[string]any{"subscriptions": subscriptions, "query": graphVMQuery, "options": options{"objectArray", graphPageSize, token}},
			Decode: arm.DecodeDocument(into(&page)),
		})
		if err != nil {
			return nil, err
		}
		if problem := page.Problem(); problem != "" {
			return nil, &apply.Error{Op: op, Code: "MalformedAnswer", Message: problem}
		}
		for _, row := range page.Data {
			vm, err := read(row)
			if err != nil || vm.ID == "" { // its subscription is unknown, so the list it is missing from is too
				return nil, &apply.Error{Op: op, Code: "MalformedAnswer", Message: wire.Printable(string(row)) + " is not a VM"}
			}
			all = append(all, vm)
		}
		switch {
		case page.Token != "" && page.Token != token:
			token = page.Token
		case page.Token != "" || strings.EqualFold(page.Truncated, "true") || len(all) < page.Total:
			return nil, &apply.Error{Op: op, Code: "ResultTruncated", Message: fmt.Sprintf("%d of %d VMs came back", len(all), page.Total)}
		default:
			return all, nil
		}
	}
}
