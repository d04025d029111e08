package azure

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/azbackup/azbackup/apply"
	"github.com/azbackup/azbackup/internal/armid"
	"github.com/azbackup/azbackup/internal/azure/arm"
	"github.com/azbackup/azbackup/internal/azure/quota"
	"github.com/azbackup/azbackup/internal/azure/wire"
	"github.com/azbackup/azbackup/plan"
)

// The one DELETE of this program: of a disk, in a resource group of restore tests (docs/design.md §12).

// PermitCleanUp lets this client delete disks in a resource group. Only a run whose approved plan has restore tests calls
// it, with their group; before, the client sends no DELETE at all. It fails for other commands than apply and
// restore-test, and for anything but the id of a resource group.
func (c *Client) PermitCleanUp(group string) error {
	if c.command != CommandApply && c.command != CommandRestoreTest {
		return fmt.Errorf("%q deletes nothing", c.command)
	}
	parts := strings.Split(group, "/")
	if len(parts) != 5 || parts[0] != "" || !strings.EqualFold(parts[1], "subscriptions") || !strings.EqualFold(parts[3], "resourceGroups") ||
		slices.Contains(parts[1:], "") || !isPlainPath(group) {
		return fmt.Errorf("%q is not the id of a resource group", group)
	}
	c.deletable.add(group)
	return nil
}

// deletableGroups are the resource groups whose disks may be deleted. Safe for concurrent use; the zero value has none.
type deletableGroups struct {
	mu     sync.Mutex
	groups map[armid.Key]bool
}

func (g *deletableGroups) add(group string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.groups == nil {
		g.groups = map[armid.Key]bool{}
	}
	g.groups[armid.Of(group)] = true
}

// permits reports whether a DELETE may be sent: of a disk, right in a permitted group, spelled so that no reader of the
// URL can take it for anything else.
func (g *deletableGroups) permits(u *url.URL) bool {
	if u.RawQuery != "api-version="+apiDisks || u.Fragment != "" || u.User != nil {
		return false
	}
	path := u.EscapedPath()
	parts := strings.Split(path, "/")
	if len(parts) != 9 || parts[8] == "" || !isPlainPath(path) || !strings.EqualFold(strings.Join(parts[5:8], "/"), "providers/Microsoft.Compute/disks") {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.groups[armid.Of(strings.Join(parts[:5], "/"))]
}

// isPlainPath reports whether a path needs no decoding and has no dot segment: letters, digits, and the few other
// characters that the names of resource groups and disks have.
func isPlainPath(path string) bool {
	for _, r := range path {
		isLetter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		if !isLetter && !strings.ContainsRune("/-_.()", r) {
			return false
		}
	}
	return !slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s != "" && strings.Trim(s, ".") == "" })
}

// DeleteDisk implements [apply.RestoreTester]. It reads the disk, after the wait for the quota of its DELETE and right
// before it, and deletes it only where made allows that: else it returns why the disk was kept. A disk that does not
// exist any more is no error. A nil error without a reason means that the service accepted the DELETE, not that the disk
// is gone.
func (c *Client) DeleteDisk(ctx context.Context, id string, made plan.CleanUp) (kept string, err error) {
	op := fmt.Sprintf("deleting disk %s", wire.Quote(itemName(id)))
	r := arm.Request{Op: op, Method: http.MethodDelete, URL: c.arm.URL(id, apiDisks), Class: quota.Write, AcceptedStatuses: []int{http.StatusAccepted, http.StatusNoContent}}
	permit, over, err := c.reserveWrite(ctx, write{r, func(ctx context.Context, _ time.Duration) (preparedWrite, error) {
		var w wire.Disk
		_, exists, err := c.readCurrent(ctx, op, c.arm.URL(id, apiDisks), &w)
		if err != nil {
			return preparedWrite{}, err
		}
		kept = ""
		if !exists {
			return preparedWrite{found: stateAsWanted}, nil
		}
		d, ok := w.ToPlan(groupOf(id), c.Now())
		if !ok || !armid.Same(d.ID, id) {
			return preparedWrite{}, &apply.Error{Op: op, Code: plan.CodeNotUnderstood, Message: "it was not deleted, because what was read right before is not this disk"}
		}
		if kept = made.WhyKept(d); kept != "" {
			return preparedWrite{found: stateAsWanted}, nil
		}
		return preparedWrite{}, nil
	}})
	if err != nil {
		return "", err
	}
	defer permit.Release()
	if over.found == stateAsWanted {
		return kept, nil
	}
	r.Permit = permit
	if _, err = c.arm.Do(ctx, r); isAbsenceProven(err) {
		err = nil // another client deleted it meanwhile
	}
	if refused, ok := errors.AsType[*arm.RefusedError](err); ok {
		err = &apply.Error{Op: op, Code: "Refused", Message: refused.Error(), Err: refused}
	}
	return "", err
}
