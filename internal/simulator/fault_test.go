package simulator

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/settings"
)

func withFaults(s settings.Settings, f ...settings.Fault) Options {
	s.Faults = f
	return Options{Settings: s}
}

func TestFaultAnswersTheNthMatchAndNoOther(t *testing.T) {
	c := serve(t, estate(t), withFaults(at0(), settings.Fault{
		Name: "busy", Method: "GET", Path: "*/backupprotecteditems", Nth: 2, Times: 2,
		Status: 429, Code: "ResourceRequestsThrottled", Message: "slow down", Headers: map[string]string{"Retry-After": "7"},
	}))
	list := testVault + "/backupProtectedItems"
	c.get(list)
	for range 2 {
		if a := c.do("GET", list, "", 429); a.code() != "ResourceRequestsThrottled" || a.header.Get("Retry-After") != "7" {
			t.Errorf("%v %s", a.header, a.body)
		}
	}
	c.get(list)
	c.get(testVault)
	if s := c.s.Stats(); s.Faults["busy"] != 2 || s.Requests["items.list"] != 4 || s.Throttled() != 2 {
		t.Errorf("%+v", s)
	}
}

func TestResetBeforeHasNoEffectAndResetAfterHas(t *testing.T) {
	for when, want := range map[string]int{"before": 0, "after": 1} {
		t.Run(when, func(t *testing.T) {
			c := serve(t, estate(t), withFaults(at0(), settings.Fault{Name: "cut", Kind: "item.put", Reset: when}))
			_, err := c.try("PUT", itemPath("vm1"), protectBody("VM1", "daily"))
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("error %v", err)
			}
			if rows, _ := c.all(testVault + "/backupProtectedItems"); len(rows) != want {
				t.Errorf("%d items, want %d", len(rows), want)
			}
		})
	}
}

func TestFaultsReachClientsOverRealHTTP(t *testing.T) {
	for name, f := range map[string]settings.Fault{"reset": {Reset: "after"}, "truncated": {Truncate: true}} {
		t.Run(name, func(t *testing.T) {
			s, err := New(estate(t), withFaults(at0(), f))
			if err != nil {
				t.Fatal(err)
			}
			h := httptest.NewServer(s)
			defer h.Close()
			resp, err := http.Get(h.URL + testVault + "?api-version=" + testAPI)
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
			}
			if err == nil {
				t.Error("the answer came whole")
			}
		})
	}
}

func TestTruncatedAnswerEndsInTheMiddle(t *testing.T) {
	c := serve(t, estate(t), withFaults(at0(), settings.Fault{Truncate: true}))
	a, err := c.try("GET", testVault, "")
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(a.body) == 0 {
		t.Errorf("%d bytes, error %v", len(a.body), err)
	}
}

func TestStatusAfterEffectHasItsEffect(t *testing.T) {
	c := serve(t, estate(t), withFaults(at0(), settings.Fault{Kind: "item.put", Status: 504, AfterEffect: true}))
	if a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 504); a.code() != "GatewayTimeout" {
		t.Errorf("%s", a.body)
	}
	c.get(itemPath("vm1"))
}

func TestFailedOperationSaysWhyAndHasNoEffect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), withFaults(quick(),
			settings.Fault{Name: "fails", Kind: "item.put", Operation: "fails", Code: "UserErrorVmNotFoundV2", Message: "no VM"}))
		a := c.follow(c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202))
		if rawjson.TextAt(a.body, "status") != "Failed" || rawjson.TextAt(a.body, "error", "code") != "UserErrorVmNotFoundV2" || rawjson.TextAt(a.body, "error", "message") != "no VM" {
			t.Errorf("%s", a.body)
		}
		c.do("GET", itemPath("vm1"), "", 404)
		c.protect("VM1", "daily")
	})
}

func TestHangingOperationNeverEndsAndALyingOneHasAFailedJob(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := serve(t, estate(t), withFaults(quick(),
			settings.Fault{Name: "hangs", Path: "*vm1", Kind: "item.put", Operation: "hangs"},
			settings.Fault{Name: "lies", Path: "*vm2", Kind: "item.put", Operation: "lies"}))
		a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
		time.Sleep(48 * time.Hour)
		if p := c.get(a.header.Get("Azure-AsyncOperation")); rawjson.TextAt(p.body, "status") != "InProgress" {
			t.Errorf("%s", p.body)
		}
		p := c.follow(c.do("PUT", itemPath("vm2"), protectBody("VM2", "daily"), 202))
		job := c.get(testVault + "/backupJobs/" + rawjson.TextAt(p.body, "properties", "jobId"))
		if rawjson.TextAt(p.body, "status") != "Succeeded" || rawjson.TextAt(job.body, "properties", "status") != "Failed" {
			t.Errorf("%s\n%s", p.body, job.body)
		}
		if !strings.Contains(string(job.body), `"errorCode":4`) {
			t.Errorf("errorDetails without an integer code: %s", job.body)
		}
		c.do("GET", itemPath("vm2"), "", 404)
	})
}

func TestItemStaysInvisibleForSomeReads(t *testing.T) {
	c := serve(t, estate(t), withFaults(at0(), settings.Fault{Kind: "item.put", Invisible: 2}))
	c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202)
	for _, want := range []int{0, 0, 1} {
		if rows, _ := c.all(testVault + "/backupProtectedItems"); len(rows) != want {
			t.Errorf("%d items, want %d", len(rows), want)
		}
	}
}

func TestNextLinkCanPointElsewhere(t *testing.T) {
	set := at0()
	set.Pages = map[string]int{"": 1}
	c := serve(t, estate(t), withFaults(set, settings.Fault{Kind: "vms.list", NextLink: "https://evil.example"}))
	if next := rawjson.TextAt(c.get(vmList).body, "nextLink"); !strings.HasPrefix(next, "https://evil.example/subscriptions/") {
		t.Errorf("nextLink %s", next)
	}
}

func TestAnotherActorActsJustBefore(t *testing.T) {
	c := serve(t, withSecondVault(t), withFaults(at0(), settings.Fault{Kind: "item.put", ConcurrentClients: []settings.ConcurrentClient{
		{Method: "PUT", Path: strings.Replace(itemPath("vm1"), "vault1", "vault2", 1), Body: []byte(strings.ReplaceAll(protectBody("VM1", "daily"), "vault1", "vault2"))},
		{Section: "virtualMachines", Remove: vmID("vm2")},
		{Section: "virtualMachines", Body: []byte(vmBody("late", "westeurope"))},
	}}))
	if a := c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 400); !strings.Contains(string(a.body), "already registered") {
		t.Errorf("%s", a.body)
	}
	c.do("GET", vmID("vm2"), "", 404)
	c.get(vmID("late"))
}

func TestWrongContentTypeAndBody(t *testing.T) {
	c := serve(t, estate(t), withFaults(at0(), settings.Fault{Kind: "vault.get", Status: 200, Body: "<html>proxy</html>", ContentType: "text/html"}))
	a, err := c.try("GET", testVault, "")
	if err != nil || a.header.Get("Content-Type") != "text/html" || string(a.body) != "<html>proxy</html>" {
		t.Errorf("%v %v %s", err, a.header, a.body)
	}
}

func TestSeededFaultsRepeat(t *testing.T) {
	run := func(seed uint64) string {
		set := at0()
		set.Seed = seed
		c := serve(t, estate(t), withFaults(set, settings.Fault{Name: "often", Chance: 0.3, Times: -1, Status: 500}))
		out := ""
		for range 40 {
			a, _ := c.try("GET", testVault, "")
			out += string('0' + rune(a.status/100))
		}
		return out
	}
	if a, b := run(1), run(1); a != b {
		t.Errorf("the same seed gave %s and %s", a, b)
	}
	if a, b := run(1), run(2); a == b || !strings.Contains(a, "5") || !strings.Contains(a, "2") {
		t.Errorf("seeds gave %s and %s", a, b)
	}
}

func TestFaultCanChooseALaterPage(t *testing.T) {
	set := at0()
	set.Pages = map[string]int{"": 3}
	c := serve(t, estate(t), withFaults(set, settings.Fault{Kind: "vms.list", Query: "$skipToken=", Status: 502}))
	a := c.get(vmList)
	if b := c.do("GET", rawjson.TextAt(a.body, "nextLink"), "", 502); b.code() != "InvalidGatewayHost" {
		t.Errorf("%s", b.body)
	}
}

func TestLatencyIsAddedAndALeavingClientIsLetGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		set := at0()
		set.Latency = settings.Fixed(2 * time.Second)
		c := serve(t, estate(t), Options{Settings: set})
		began := time.Now()
		c.get(testVault)
		if got := time.Since(began); got != 2*time.Second {
			t.Errorf("took %v", got)
		}
		c.http.Timeout = time.Second
		if _, err := c.try("PUT", itemPath("vm1"), protectBody("VM1", "daily")); err == nil {
			t.Error("no error")
		}
		c.http.Timeout = 0
		time.Sleep(time.Minute)
		c.do("GET", itemPath("vm1"), "", 404)
	})
}

func TestUnknownFaultWordsAreErrors(t *testing.T) {
	for _, f := range []settings.Fault{{Reset: "sometime"}, {Operation: "sulks"}, {Kind: "no.such"}} {
		if _, err := New(estate(t), withFaults(at0(), f)); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}
