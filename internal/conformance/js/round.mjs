// The Azure SDK for JavaScript, as published, against the simulator: sign in, list vaults, refresh, list protectable and
// protected items and policies, protect and follow the operation to its end, back up and follow the job.
//
//   node round.mjs https://127.0.0.1:PORT TENANT SUBSCRIPTION RESOURCE-GROUP VAULT
//
// The vault must have a policy named EnhancedPolicy (this client speaks an api-version at which Trusted Launch needs one) and at least one machine that is not protected.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { ClientSecretCredential } from "@azure/identity";
import { RecoveryServicesClient } from "@azure/arm-recoveryservices";
import { RecoveryServicesBackupClient } from "@azure/arm-recoveryservicesbackup";

const [endpoint, tenant, subscription, group, vault] = process.argv.slice(2);
assert(vault, "usage: node round.mjs ENDPOINT TENANT SUBSCRIPTION RESOURCE-GROUP VAULT");

const credential = new ClientSecretCredential(tenant, "conformance", "not-a-secret", {
  authorityHost: endpoint,
  disableInstanceDiscovery: true,
});
const options = { endpoint, credentialScopes: [`${endpoint}/.default`] };
const vaults = new RecoveryServicesClient(credential, subscription, options);
const backup = new RecoveryServicesBackupClient(credential, subscription, options);

async function all(pages) {
  const out = [];
  for await (const x of pages) out.push(x);
  return out;
}

function step(name, detail = "") {
  console.log(`ok ${name}${detail && ": " + detail}`);
}

const listed = await all(vaults.vaults.listBySubscriptionId());
assert(listed.some((v) => v.name === vault), "the vault is listed");
step("vaults.listBySubscriptionId", `${listed.length} vaults`);
const one = await vaults.vaults.get(group, vault);
assert.equal(one.properties.provisioningState, "Succeeded");
step("vaults.get", one.location);

const policies = await all(backup.backupPolicies.list(vault, group, { filter: "backupManagementType eq 'AzureIaasVM'" }));
const policy = policies.find((p) => p.name === "EnhancedPolicy");
assert(policy, "EnhancedPolicy exists");
step("backupPolicies.list", `${policies.length} policies`);

// refreshContainers answers 202 with a Location and no body; this client gives the headers through onResponse.
let location;
await backup.protectionContainers.refresh(vault, group, "Azure", {
  onResponse: (r) => {
    assert.equal(r.status, 202);
    location = r.headers.get("location");
  },
});
const refreshID = new URL(location).pathname.split("/").pop();
for (let status = 202; status === 202; ) {
  await sleep(200);
  await backup.protectionContainerRefreshOperationResults.get(vault, group, "Azure", refreshID, {
    onResponse: (r) => (status = r.status),
  });
  if (status !== 202) assert.equal(status, 204);
}
step("protectionContainers.refresh", "202 … 204");

const protectable = await all(
  backup.backupProtectableItems.list(vault, group, { filter: "backupManagementType eq 'AzureIaasVM'" }),
);
assert(protectable.length > 0, "something can be protected");
const vm = protectable[0];
assert.equal(vm.properties.protectionState, "NotProtected");
step("backupProtectableItems.list", `${protectable.length} items`);

const container = `IaasVMContainer;${vm.name}`;
const item = `VM;${vm.name}`;
let status;
await backup.protectedItems.createOrUpdate(
  vault, group, "Azure", container, item,
  {
    properties: {
      protectedItemType: "Microsoft.Compute/virtualMachines",
      sourceResourceId: vm.properties.virtualMachineId,
      policyId: policy.id,
    },
  },
  {
    onResponse: (r) => {
      assert.equal(r.status, 202);
      status = r.headers.get("azure-asyncoperation");
    },
  },
);
const operation = new URL(status).pathname.split("/").pop();
let progress;
do {
  await sleep(200);
  progress = await backup.protectedItemOperationStatuses.get(vault, group, "Azure", container, item, operation);
} while (progress.status === "InProgress");
assert.equal(progress.status, "Succeeded");
step("protectedItems.createOrUpdate", "202 … Succeeded");
const job = await backup.jobDetails.get(vault, group, progress.properties.jobId);
assert.equal(job.properties.operation, "ConfigureBackup");
assert.equal(job.properties.status, "Completed");
step("jobDetails.get", job.properties.operation);

const got = await backup.protectedItems.get(vault, group, "Azure", container, item);
assert.equal(got.properties.protectionState, "IRPending");
assert.equal(got.properties.policyId.toLowerCase(), policy.id.toLowerCase());
const items = await all(
  backup.backupProtectedItems.list(vault, group, { filter: "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'" }),
);
assert(items.some((i) => i.properties.sourceResourceId === vm.properties.virtualMachineId), "the item is listed");
step("backupProtectedItems.list", `${items.length} items`);
const left = await all(
  backup.backupProtectableItems.list(vault, group, { filter: "backupManagementType eq 'AzureIaasVM'" }),
);
assert(!left.some((i) => i.name === vm.name), "a protected machine is no longer protectable");

let triggered;
await backup.backups.trigger(
  vault, group, "Azure", container, item,
  { properties: { objectType: "IaasVMBackupRequest", recoveryPointExpiryTimeInUTC: new Date(Date.now() + 30 * 86400e3) } },
  { onResponse: (r) => (triggered = r.headers.get("azure-asyncoperation")) },
);
const trigger = new URL(triggered).pathname.split("/").pop();
do {
  await sleep(200);
  progress = await backup.backupOperationStatuses.get(vault, group, trigger);
} while (progress.status === "InProgress");
let run;
do {
  await sleep(200);
  run = await backup.jobDetails.get(vault, group, progress.properties.jobId);
} while (run.properties.status === "InProgress");
assert.equal(run.properties.status, "Completed");
assert.deepEqual(run.properties.extendedInfo.tasksList.map((t) => t.taskId), ["Take Snapshot", "Transfer data to vault"]);
step("backups.trigger", `job ${run.properties.status} after ${run.properties.extendedInfo.tasksList.length} tasks`);
const points = await all(backup.recoveryPoints.list(vault, group, "Azure", container, item));
assert.equal(points.length, 1);
step("recoveryPoints.list", points[0].properties.recoveryPointType);
console.log("the Azure SDK for JavaScript is satisfied");
