package simulator

import "strings"

// Storage accounts stage restores (docs/azure.md §19); nothing else of them is simulated.

func (c *call) listAccounts() reply {
	return c.listResourcesOf("accounts", c.st.accounts, storageAccount)
}

func (c *call) getAccount() reply {
	if r := c.noGroup(); r != nil {
		return *r
	}
	a := c.st.accounts.get(key(c.path))
	if a == nil {
		return resourceNotFound("Microsoft.Storage/storageAccounts", c.params["account"], c.params["group"])
	}
	return storageAccount(ok(c.st.read(a.body)))
}

// getClassicAccount: there are none; clients ask for one first (docs/azure.md §33.44).
func (c *call) getClassicAccount() reply {
	if r := c.noGroup(); r != nil {
		return *r
	}
	return resourceNotFound("Microsoft.ClassicStorage/storageAccounts", c.params["account"], c.params["group"])
}

// storageAccount gives an answer the Content-Type that storage's have: without a charset, as recorded.
func storageAccount(r reply) reply {
	r.set("Content-Type", "application/json")
	return r
}

// listResourcesOf lists the resources of a group or, without one in the path, of the subscription.
func (c *call) listResourcesOf(kind string, t *table[resource], finish func(reply) reply) reply {
	body := func(r *resource) []byte { return c.st.read(r.body) }
	if c.params["group"] != "" {
		if r := c.noGroup(); r != nil {
			return *r
		}
		return finish(c.list(kind, each(t, key(c.groupID()), func(*resource) bool { return true }, body)))
	}
	sub := key(c.params["sub"])
	return finish(c.list(kind, func(from int, visit func(int, func() []byte) bool) {
		t.all(from, func(row int, r *resource) bool {
			return r.sub != sub || visit(row, func() []byte { return body(r) })
		})
	}))
}

// checkStaging: the account that stages a restore exists, in the vault's region, and is of a kind that can
// (docs/azure.md §19, §25.3).
func (c *call) checkStaging(v *vault, sent object) *reply {
	id := first(text(sent.raw("identityBasedRestoreDetails"), "targetStorageAccountId"), sent.text("storageAccountId"))
	a := c.st.accounts.get(key(id))
	var r reply
	switch {
	case id == "":
		r = c.unverified("restore-input", "The storage account of the restore is required.")
	case a == nil:
		r = c.unverified("restore-staging-missing", "The storage account '%s' was not found.", lastSegment(id))
	case a.region != v.region:
		r = c.unverified("restore-staging-region", "The storage account '%s' is in '%s', the vault is in '%s'.", a.name, a.region, v.region)
	case c.cannotStage(a):
		r = c.unverified("restore-staging-kind", "The storage account '%s' is of a kind that cannot be used for a restore.", a.name)
	default:
		return nil
	}
	return &r
}

// cannotStage: zone-redundant accounts and those for blobs alone (docs/azure.md §25.3).
func (c *call) cannotStage(a *resource) bool {
	body := c.st.read(a.body)
	kind := text(body, "kind")
	return strings.HasSuffix(strings.ToUpper(text(body, "sku", "name")), "ZRS") ||
		strings.EqualFold(kind, "BlobStorage") || strings.EqualFold(kind, "BlockBlobStorage")
}
