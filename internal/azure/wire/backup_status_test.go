package wire

import (
	"fmt"
	"strings"
	"testing"

	"github.com/azbackup/azbackup/plan"
)

// Only a status that names the vault is evidence of an item, and only one that says so is evidence of none.
func TestABackupStatusSaysProtectedUnprotectedOrNothing(t *testing.T) {
	for _, c := range []struct {
		status, vault              string
		isProtected, isUnprotected bool
	}{
		{`"Protected"`, vaultID, true, false},
		{`"Protecting"`, vaultID, true, false},
		{`"ProtectionFailed"`, vaultID, true, false},
		{`"protected"`, strings.ToUpper(vaultID), true, false},
		{`"Protected"`, "", false, false},
		{`"Protected"`, vm1, false, false},
		{`"NotProtected"`, vaultID, false, true},
		{`"notprotected"`, "", false, true},
		{`"Invalid"`, vaultID, false, false},
		{`["NotProtected"]`, vaultID, false, false},
		{`null`, vaultID, false, false},
	} {
		w := read[BackupStatus](t, fmt.Sprintf(`{"protectionStatus":%s,"vaultId":%q}`, c.status, c.vault))
		if w.IsProtected() != c.isProtected || w.IsUnprotected() != c.isUnprotected {
			t.Errorf("%s in %q: protected %t, unprotected %t", c.status, c.vault, w.IsProtected(), w.IsUnprotected())
		}
	}
}

func TestABackupStatusThatIsUnclearIsAGapInTheServicesWords(t *testing.T) {
	for body, want := range map[string]plan.Gap{
		`{"protectionStatus":"Dancing"}`:   {Code: "UnclearStatus", Message: `the service calls it "Dancing" and names no vault`},
		`{"protectionStatus":["Dancing"]}`: {Code: "UnclearStatus", Message: `the service calls it "[\"Dancing\"]" and names no vault`},
		`{"protectionStatus":"Invalid","errorCode":"BMSNotFound","errorMessage":"no such VM"}`: {Code: "BMSNotFound", Message: "no such VM"},
	} {
		want.Target = vm1
		if got := read[BackupStatus](t, body).UnclearGap(plan.Gap{Target: vm1}); got != want {
			t.Errorf("%s: %+v, want %+v", body, got, want)
		}
	}
}
