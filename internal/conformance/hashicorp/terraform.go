package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservices/2025-08-01/vaults"
	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservicesbackup/2025-02-01/protecteditems"
	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservicesbackup/2025-02-01/protectionpolicies"
	"github.com/hashicorp/go-azure-sdk/resource-manager/recoveryservicessiterecovery/2025-02-01/replicationvaultsetting"
	"github.com/hashicorp/go-azure-sdk/sdk/auth"
	authadapter "github.com/hashicorp/go-azure-sdk/sdk/auth/autorest"
	"github.com/hashicorp/go-azure-sdk/sdk/environments"
)

// fleet returns the unprotected machines in the first region of the demo's estate.
func fleet() []string {
	return []string{
		"rg-app-weu/app01", "rg-app-weu/app03", "rg-app-weu/app04", "rg-app-weu/app05", "rg-app-weu/app06", "rg-app-weu/app07",
		"rg-app-weu/app08", "rg-app-weu/bastion-weu", "rg-sql/sql03", "rg-misc/jump01", "rg-misc/build01", "rg-dev/dev03",
		"rg-dev/dev04", "rg-dev/dev05", "rg-dev/dev06", "rg-dev/dev07", "rg-dev/dev08",
	}
}

// asTerraform makes the calls of azurerm's resources in their order: a vault, a V2 policy, protected machines ten at a
// time, all of them read again without a difference, and the retention of the policy changed while it is in use.
func asTerraform(ctx context.Context, api environments.Api, authorizer auth.Authorizer, base, subscription, group string) error {
	const vault = "rsv-terraform"
	byVault, err := vaults.NewVaultsClientWithBaseURI(api)
	if err != nil {
		return err
	}
	byVault.Client.Authorizer = authorizer
	id := vaults.NewVaultID(subscription, group, vault)
	open := vaults.PublicNetworkAccessEnabled
	err = byVault.CreateOrUpdateThenPoll(ctx, id, vaults.Vault{
		Location: "westeurope", Sku: &vaults.Sku{Name: vaults.SkuNameStandard},
		Properties: &vaults.VaultProperties{PublicNetworkAccess: &open},
	}, vaults.DefaultCreateOrUpdateOperationOptions())
	if err != nil {
		return fmt.Errorf("vaults.CreateOrUpdateThenPoll: %w", err)
	}
	got, err := byVault.Get(ctx, id)
	if err != nil || *got.Model.Properties.ProvisioningState != "Succeeded" {
		return fmt.Errorf("vaults.Get: %w", err)
	}
	ok("vaults.CreateOrUpdateThenPoll", *got.Model.Name)

	settings, err := replicationvaultsetting.NewReplicationVaultSettingClientWithBaseURI(api)
	if err != nil {
		return err
	}
	settings.Client.Authorizer = authorizer
	if _, err := settings.Get(ctx, replicationvaultsetting.NewReplicationVaultSettingID(subscription, group, vault, "default")); err != nil {
		return fmt.Errorf("replicationvaultsetting.Get: %w", err)
	}
	ok("replicationvaultsetting.Get", "default")

	bearer := authadapter.AutorestAuthorizer(authorizer)
	policies := protectionpolicies.NewProtectionPoliciesClientWithBaseURI(base)
	policies.Client.Authorizer = bearer
	policyID := protectionpolicies.NewBackupPolicyID(subscription, group, vault, "tf-daily")
	if _, err := policies.CreateOrUpdate(ctx, policyID, policy(10), protectionpolicies.DefaultCreateOrUpdateOperationOptions()); err != nil {
		return fmt.Errorf("protectionpolicies.CreateOrUpdate: %w", err)
	}
	if err := protectFleet(ctx, base, bearer, subscription, group, vault, policyID.ID()); err != nil {
		return err
	}
	return retain(ctx, policies, policyID, 20)
}

func protectFleet(ctx context.Context, base string, bearer *authadapter.Authorizer, subscription, group, vault, policyID string) error {
	items := protecteditems.NewProtectedItemsClientWithBaseURI(base)
	items.Client.Authorizer = bearer
	items.Client.PollingDelay = 200 * time.Millisecond
	machines := fleet()
	errs := make([]error, len(machines))
	slots := make(chan struct{}, 10)
	var all sync.WaitGroup
	for i, m := range machines {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			machineGroup, name, _ := strings.Cut(m, "/")
			id := protecteditems.NewProtectedItemID(subscription, group, vault, "Azure",
				"iaasvmcontainer;iaasvmcontainerv2;"+machineGroup+";"+name, "VM;iaasvmcontainerv2;"+machineGroup+";"+name)
			source := "/subscriptions/" + subscription + "/resourceGroups/" + machineGroup + "/providers/Microsoft.Compute/virtualMachines/" + name
			body := protecteditems.ProtectedItemResource{Properties: protecteditems.AzureIaaSComputeVMProtectedItem{PolicyId: &policyID, SourceResourceId: &source}}
			if errs[i] = items.CreateOrUpdateThenPoll(ctx, id, body, protecteditems.DefaultCreateOrUpdateOperationOptions()); errs[i] != nil {
				return
			}
			got, err := items.Get(ctx, id, protecteditems.DefaultGetOperationOptions())
			if err != nil {
				errs[i] = err
				return
			}
			vm, is := got.Model.Properties.(protecteditems.AzureIaaSComputeVMProtectedItem)
			if !is || !strings.EqualFold(*vm.PolicyId, policyID) || !strings.EqualFold(*vm.SourceResourceId, source) {
				errs[i] = fmt.Errorf("%s: a second plan would find a difference: %+v", m, got.Model.Properties)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	ok("protecteditems, ten at a time", fmt.Sprintf("%d machines, each read again without a difference", len(machines)))
	return nil
}

// retain changes the retention of a policy that protects machines: the service returns 202 and continues in the
// background.
func retain(ctx context.Context, policies protectionpolicies.ProtectionPoliciesClient, id protectionpolicies.BackupPolicyId, days int64) error {
	if _, err := policies.CreateOrUpdate(ctx, id, policy(days), protectionpolicies.DefaultCreateOrUpdateOperationOptions()); err != nil {
		return fmt.Errorf("protectionpolicies.CreateOrUpdate in use: %w", err)
	}
	for {
		got, err := policies.Get(ctx, id)
		if err != nil {
			return fmt.Errorf("protectionpolicies.Get: %w", err)
		}
		vm := got.Model.Properties.(protectionpolicies.AzureIaaSVMProtectionPolicy)
		if kept := vm.RetentionPolicy.(protectionpolicies.LongTermRetentionPolicy); *kept.DailySchedule.RetentionDuration.Count == days {
			ok("protectionpolicies.CreateOrUpdate in use", fmt.Sprintf("kept for %d days now", days))
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
