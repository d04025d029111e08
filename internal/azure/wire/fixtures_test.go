package wire

import "github.com/azbackup/azbackup/internal/azure/azuretest"

const (
	sub     = azuretest.Subscription
	vaultID = azuretest.VaultID
	otherID = azuretest.OtherVaultID
	vm1     = azuretest.VMID
)
