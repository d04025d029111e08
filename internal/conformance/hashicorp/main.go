// Command hashicorp drives the simulator with HashiCorp's client for Azure, the one under Terraform's azurerm: find the
// cloud by its metadata, sign in, list, protect and poll, get, and change a policy. It is a module of its own, so
// that its dependencies stay out of azbackup's.
//
//	go run . https://127.0.0.1:PORT TENANT SUBSCRIPTION RESOURCE-GROUP VAULT
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservices/2025-08-01/vaults"
	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservicesbackup/2025-02-01/backuppolicies"
	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservicesbackup/2025-02-01/backupprotectableitems"
	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservicesbackup/2025-02-01/backupprotecteditems"
	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservicesbackup/2025-02-01/protecteditems"
	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservicesbackup/2025-02-01/protectionpolicies"
	"github.com/hashicorp/go-azure-sdk/sdk/auth"
	authadapter "github.com/hashicorp/go-azure-sdk/sdk/auth/autorest"
	"github.com/hashicorp/go-azure-sdk/sdk/environments"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "usage: hashicorp ENDPOINT TENANT SUBSCRIPTION RESOURCE-GROUP VAULT")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := round(ctx, os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Println("HashiCorp's client for Azure is satisfied")
}

func ok(step string, detail any) { fmt.Printf("ok %s: %v\n", step, detail) }

func round(ctx context.Context, endpoint, tenant, subscription, group, vault string) error {
	env, err := environments.FromEndpoint(ctx, endpoint)
	if err != nil {
		return err
	}
	ok("environments.FromEndpoint", env.Name)
	authorizer, err := auth.NewClientSecretAuthorizer(ctx, auth.ClientSecretAuthorizerOptions{
		Environment: *env, Api: env.ResourceManager, TenantId: tenant, ClientId: "conformance", ClientSecret: "not-a-secret",
	})
	if err != nil {
		return err
	}
	base, found := env.ResourceManager.Endpoint()
	if !found {
		return errors.New("the metadata names no Resource Manager endpoint")
	}

	byVault, err := vaults.NewVaultsClientWithBaseURI(env.ResourceManager)
	if err != nil {
		return err
	}
	byVault.Client.Authorizer = authorizer
	got, err := byVault.Get(ctx, vaults.NewVaultID(subscription, group, vault))
	if err != nil {
		return fmt.Errorf("vaults.Get: %w", err)
	}
	ok("vaults.Get", got.Model.Location)

	bearer := authadapter.AutorestAuthorizer(authorizer)
	policies := backuppolicies.NewBackupPoliciesClientWithBaseURI(*base)
	policies.Client.Authorizer = bearer
	listed, err := policies.ListComplete(ctx, backuppolicies.NewVaultID(subscription, group, vault), backuppolicies.ListOperationOptions{Filter: filter("backupManagementType eq 'AzureIaasVM'")})
	if err != nil {
		return fmt.Errorf("backuppolicies.List: %w", err)
	}
	var policyID string
	for _, p := range listed.Items {
		if *p.Name == "EnhancedPolicy" {
			policyID = *p.Id
		}
	}
	if policyID == "" {
		return errors.New("the vault has no EnhancedPolicy")
	}
	ok("backuppolicies.ListComplete", len(listed.Items))

	protectable := backupprotectableitems.NewBackupProtectableItemsClientWithBaseURI(*base)
	protectable.Client.Authorizer = bearer
	offers, err := protectable.ListComplete(ctx, backupprotectableitems.NewVaultID(subscription, group, vault), backupprotectableitems.ListOperationOptions{Filter: filter("backupManagementType eq 'AzureIaasVM'")})
	if err != nil {
		return fmt.Errorf("backupprotectableitems.List: %w", err)
	}
	ok("backupprotectableitems.ListComplete", len(offers.Items))

	if err := protect(ctx, *base, bearer, subscription, group, vault, policyID); err != nil {
		return err
	}
	if err := changePolicy(ctx, *base, bearer, subscription, group, vault); err != nil {
		return err
	}
	return asTerraform(ctx, env.ResourceManager, authorizer, *base, subscription, group)
}

// machine is an unprotected VM of the conformance run's estate.
const (
	machineGroup = "rg-app-weu"
	machine      = "app02"
)

func protect(ctx context.Context, base string, bearer *authadapter.Authorizer, subscription, group, vault, policyID string) error {
	items := protecteditems.NewProtectedItemsClientWithBaseURI(base)
	items.Client.Authorizer = bearer
	items.Client.PollingDelay = 200 * time.Millisecond
	// Terraform spells the names so: lower-case prefixes, bare semicolons.
	id := protecteditems.NewProtectedItemID(subscription, group, vault, "Azure",
		"iaasvmcontainer;iaasvmcontainerv2;"+machineGroup+";"+machine, "VM;iaasvmcontainerv2;"+machineGroup+";"+machine)
	source := "/subscriptions/" + subscription + "/resourceGroups/" + machineGroup + "/providers/Microsoft.Compute/virtualMachines/" + machine
	body := protecteditems.ProtectedItemResource{Properties: protecteditems.AzureIaaSComputeVMProtectedItem{
		PolicyId: &policyID, SourceResourceId: &source,
	}}
	if err := items.CreateOrUpdateThenPoll(ctx, id, body, protecteditems.DefaultCreateOrUpdateOperationOptions()); err != nil {
		return fmt.Errorf("protecteditems.CreateOrUpdateThenPoll: %w", err)
	}
	ok("protecteditems.CreateOrUpdateThenPoll", machine)
	got, err := items.Get(ctx, id, protecteditems.DefaultGetOperationOptions())
	if err != nil {
		return fmt.Errorf("protecteditems.Get: %w", err)
	}
	vm, is := got.Model.Properties.(protecteditems.AzureIaaSComputeVMProtectedItem)
	if !is || !strings.EqualFold(*vm.PolicyId, policyID) || *vm.ProtectionState != protecteditems.ProtectionStateIRPending {
		return fmt.Errorf("protecteditems.Get: not as it was put: %+v", got.Model.Properties)
	}
	ok("protecteditems.Get", *vm.ProtectionState)

	lists := backupprotecteditems.NewBackupProtectedItemsClientWithBaseURI(base)
	lists.Client.Authorizer = bearer
	all, err := lists.ListComplete(ctx, backupprotecteditems.NewVaultID(subscription, group, vault),
		backupprotecteditems.ListOperationOptions{Filter: filter("backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'")})
	if err != nil {
		return fmt.Errorf("backupprotecteditems.List: %w", err)
	}
	ok("backupprotecteditems.ListComplete", len(all.Items))
	return nil
}

// changePolicy creates a policy as Terraform does and changes its retention.
func changePolicy(ctx context.Context, base string, bearer *authadapter.Authorizer, subscription, group, vault string) error {
	policies := protectionpolicies.NewProtectionPoliciesClientWithBaseURI(base)
	policies.Client.Authorizer = bearer
	id := protectionpolicies.NewBackupPolicyID(subscription, group, vault, "tf-daily")
	for _, days := range []int64{10, 20} {
		if _, err := policies.CreateOrUpdate(ctx, id, policy(days), protectionpolicies.DefaultCreateOrUpdateOperationOptions()); err != nil {
			return fmt.Errorf("protectionpolicies.CreateOrUpdate: %w", err)
		}
		got, err := policies.Get(ctx, id)
		if err != nil {
			return fmt.Errorf("protectionpolicies.Get: %w", err)
		}
		vm, is := got.Model.Properties.(protectionpolicies.AzureIaaSVMProtectionPolicy)
		if !is {
			return fmt.Errorf("protectionpolicies.Get: a policy of another kind: %T", got.Model.Properties)
		}
		kept := vm.RetentionPolicy.(protectionpolicies.LongTermRetentionPolicy)
		if *kept.DailySchedule.RetentionDuration.Count != days {
			return fmt.Errorf("protectionpolicies.Get: kept for %d days, want %d", *kept.DailySchedule.RetentionDuration.Count, days)
		}
	}
	ok("protectionpolicies.CreateOrUpdate", "created, changed")
	return nil
}

func policy(days int64) protectionpolicies.ProtectionPolicyResource {
	at := []string{"2026-01-01T23:00:00Z"}
	run, tier, zone := protectionpolicies.ScheduleRunTypeDaily, protectionpolicies.IAASVMPolicyTypeVTwo, "UTC"
	unit := protectionpolicies.RetentionDurationTypeDays
	return protectionpolicies.ProtectionPolicyResource{Properties: protectionpolicies.AzureIaaSVMProtectionPolicy{
		PolicyType: &tier,
		TimeZone:   &zone,
		SchedulePolicy: protectionpolicies.SimpleSchedulePolicyV2{
			ScheduleRunFrequency: &run,
			DailySchedule:        &protectionpolicies.DailySchedule{ScheduleRunTimes: &at},
		},
		RetentionPolicy: protectionpolicies.LongTermRetentionPolicy{DailySchedule: &protectionpolicies.DailyRetentionSchedule{
			RetentionTimes:    &at,
			RetentionDuration: &protectionpolicies.RetentionDuration{Count: &days, DurationType: &unit},
		}},
	}}
}

func filter(s string) *string { return &s }
