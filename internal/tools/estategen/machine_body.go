package main

import (
	"encoding/base64"
	"fmt"
	"time"
)

// body is a JSON object; its keys are written sorted.
type body map[string]any

// body returns the machine as the Compute list shows it (docs/azure.md §10).
func (m machine) body(taken time.Time) body {
	r := m.random
	created := taken.Add(-time.Duration(r.IntN(900*24)) * time.Hour).Add(-time.Hour)
	security := body{"securityType": "TrustedLaunch", "uefiSettings": body{"secureBootEnabled": true, "vTpmEnabled": true}}
	if r.IntN(3) == 0 {
		security = body{"encryptionAtHost": true}
	}
	properties := body{
		"vmId":               uuid(r),
		"hardwareProfile":    body{"vmSize": pick(r, "Standard_D2s_v5", "Standard_D4s_v5", "Standard_E8ds_v5", "Standard_B2ms")},
		"provisioningState":  "Succeeded",
		"timeCreated":        created.Format("2006-01-02T15:04:05.0000000-07:00"),
		"storageProfile":     m.storage(),
		"osProfile":          m.osProfile(),
		"securityProfile":    security,
		"diagnosticsProfile": body{"bootDiagnostics": body{"enabled": true}},
		"networkProfile": body{"networkInterfaces": []body{{
			"id":         m.sibling("Microsoft.Network", "networkInterfaces", m.name+"-nic"),
			"properties": body{"primary": true, "deleteOption": "Delete"},
		}}},
	}
	if m.kind == flexibleMember {
		properties["virtualMachineScaleSet"] = body{"id": m.sibling("Microsoft.Compute", "virtualMachineScaleSets", "vmss-"+m.role)}
	}
	b := body{
		"id": m.id(), "name": m.name, "type": "Microsoft.Compute/virtualMachines", "location": m.region.name,
		"tags": m.tags(), "properties": properties, "etag": fmt.Sprintf("%q", fmt.Sprint(r.IntN(90)+1)),
		"identity":  body{"type": "SystemAssigned", "principalId": uuid(r), "tenantId": tenant},
		"resources": m.extensions(),
	}
	if r.IntN(2) == 0 {
		b["zones"] = []string{fmt.Sprint(1 + m.n%3)}
	}
	return b
}

func (m machine) tags() body {
	tags := body{"env": m.env, "role": m.role, "owner": fmt.Sprintf("team-%02d", m.n%37), "costCenter": fmt.Sprint(4000 + m.n%90)}
	if m.retired {
		tags["lifecycle"] = "retired"
	}
	return tags
}

func (m machine) storage() body {
	image := body{"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest", "exactVersion": "24.04.202610150"}
	osType := "Linux"
	if m.windows {
		image = body{
			"publisher": "MicrosoftWindowsServer", "offer": "WindowsServer", "sku": "2022-datacenter-azure-edition",
			"version": "latest", "exactVersion": "20348.4294.261007",
		}
		osType = "Windows"
	}
	os := m.disk("OsDisk_1", "Premium_LRS", 128)
	os["osType"], os["createOption"], os["caching"] = osType, "FromImage", "ReadWrite"
	if m.kind == ephemeral {
		os["diffDiskSettings"] = body{"option": "Local", "placement": "CacheDisk"}
	}
	data := []body{}
	for lun := range m.disks {
		d := m.disk(fmt.Sprintf("data%d", lun), m.dataStorage(lun), 256<<lun)
		d["lun"], d["createOption"], d["caching"], d["toBeDetached"] = lun, "Attach", "None", false
		data = append(data, d)
	}
	return body{"imageReference": image, "osDisk": os, "dataDisks": data, "diskControllerType": "SCSI"}
}

func (m machine) dataStorage(lun int) string {
	switch {
	case m.kind != needsEnhanced:
		return "Premium_LRS"
	case lun%2 == 0:
		return "UltraSSD_LRS"
	}
	return "PremiumV2_LRS"
}

func (m machine) disk(suffix, storage string, gb int) body {
	name := m.name + "_" + suffix
	return body{
		"name": name, "deleteOption": "Delete", "diskSizeGB": gb,
		"managedDisk": body{"storageAccountType": storage, "id": m.sibling("Microsoft.Compute", "disks", name)},
	}
}

func (m machine) osProfile() body {
	p := body{
		"computerName": m.name, "adminUsername": "azureuser", "secrets": []body{},
		"allowExtensionOperations": true, "requireGuestProvisionSignal": true,
	}
	if m.windows {
		p["windowsConfiguration"] = body{
			"provisionVMAgent": true, "enableAutomaticUpdates": true,
			"patchSettings": body{"patchMode": "AutomaticByPlatform", "assessmentMode": "ImageDefault", "enableHotpatching": false},
		}
		return p
	}
	key := make([]byte, 279)
	for i := range key {
		key[i] = byte(m.random.Uint32())
	}
	p["linuxConfiguration"] = body{
		"disablePasswordAuthentication": true, "provisionVMAgent": true,
		"patchSettings": body{"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"},
		"ssh": body{"publicKeys": []body{{
			"path":    "/home/azureuser/.ssh/authorized_keys",
			"keyData": "ssh-rsa " + base64.StdEncoding.EncodeToString(key) + " azureuser",
		}}},
	}
	return p
}

func (m machine) extensions() []body {
	names := []string{"AzureMonitorLinuxAgent", "MDE.Linux"}
	if m.windows {
		names = []string{"AzureMonitorWindowsAgent", "MDE.Windows", "IaaSAntimalware"}
	}
	list := make([]body, len(names))
	for i, name := range names {
		list[i] = body{"id": m.id() + "/extensions/" + name}
	}
	return list
}

// sibling returns the id of a resource in the machine's group, with the group's case as in Compute's replies.
func (m machine) sibling(provider, kind, name string) string {
	return "/subscriptions/" + m.subscription + "/resourceGroups/" + m.group + "/providers/" + provider + "/" + kind + "/" + name
}
