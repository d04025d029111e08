package simulator

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/rawjson"
	"github.com/azbackup/azbackup/internal/simulator/state"
)

// date returns the time in the Date header of a reply.
func date(t *testing.T, a answered) time.Time {
	t.Helper()
	at, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

// A server's clock starts at the snapshot's time, on any day, and every reply follows it.
func TestTheClockStartsWhenTheEstateWasTaken(t *testing.T) {
	bubble(t, func(t *testing.T) {
		taken := time.Date(2024, 5, 13, 10, 0, 0, 0, time.UTC)
		c := serve(t, estate(t), Options{Settings: quick(), Speed: 60})
		if got := date(t, c.get(testVault)); !got.Equal(taken) {
			t.Errorf("the first answer is of %v", got)
		}
		time.Sleep(time.Minute)
		a := c.do("PUT", itemPath("VM1"), protectBody("VM1", "daily"), 202)
		if got := date(t, a); !got.Equal(taken.Add(time.Hour)) {
			t.Errorf("a minute at speed 60 later it is %v", got)
		}
		end := c.follow(a)
		if got := rawjson.TextAt(end.body, "startTime"); !strings.HasPrefix(got, "2024-05-13T11:00:00") {
			t.Errorf("the operation began at %s", got)
		}
		job := c.get(testVault + "/backupJobs/" + rawjson.TextAt(end.body, "properties", "jobId"))
		if got := rawjson.TextAt(job.body, "properties", "startTime"); !strings.HasPrefix(got, "2024-05-13T11:00:00") {
			t.Errorf("the job began at %s", got)
		}
	})
}

func TestTheClockStartsAtTheMachinesTimeWhereThatIsAskedForOrNothingElseIsKnown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		now := time.Now()
		for _, test := range []struct {
			name, estate string
			wall         bool
			want         time.Time
		}{
			{"no time of its own", `{"format_version":"1"}`, false, now},
			{"asked for", `{"format_version":"1","taken":"1998-01-01T00:00:00Z"}`, true, now},
			{"asked for, of an estate that is to come", `{"format_version":"1","taken":"2031-01-01T00:00:00Z"}`, true, now},
			{"asked for, but it got further", `{"format_version":"1","taken":"1998-01-01T00:00:00Z","simulation":{"clock":"2031-01-01T00:00:00Z"}}`, true, time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)},
			{"saved", `{"format_version":"1","taken":"1998-01-01T00:00:00Z","simulation":{"clock":"1998-03-01T00:00:00Z"}}`, false, time.Date(1998, 3, 1, 0, 0, 0, 0, time.UTC)},
		} {
			e, err := state.Read(strings.NewReader(test.estate))
			if err != nil {
				t.Fatal(err)
			}
			s, err := New(e, Options{WallClock: test.wall})
			if err != nil {
				t.Fatal(err)
			}
			if got := s.clock.now(); !got.Equal(test.want) {
				t.Errorf("%s: it starts at %v, want %v", test.name, got, test.want)
			}
		}
	})
}

// No time passes while no server runs, and none is lost: neither a close nor a kill sets the clock back before the
// last written time.
func TestASavedStateGoesOnWhenItStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		path := writeEstate(t, estate(t))
		taken := time.Date(2024, 5, 13, 10, 0, 0, 0, time.UTC)
		for i, kill := range []bool{true, false, true} {
			c := open1(t, path, Options{Settings: quick()})
			begun := taken.Add(time.Duration(i) * time.Hour)
			if got := date(t, c.get(testVault)); !got.Equal(begun) {
				t.Errorf("run %d begins at %v, want %v", i, got, begun)
			}
			time.Sleep(time.Hour)
			name := fmt.Sprintf("VM%d", i+1)
			if a := c.do("PUT", itemPath(name), protectBody(name, "daily"), 202); !date(t, a).Equal(begun.Add(time.Hour)) {
				t.Errorf("run %d writes at %v", i, date(t, a))
			}
			if kill {
				if err := c.s.wal.Abandon(); err != nil {
					t.Fatal(err)
				}
			} else if err := c.s.Close(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(400 * 24 * time.Hour)
		}
		if raw, err := os.ReadFile(path); err != nil || !strings.Contains(string(raw), `"taken": "2024-05-13T10:00:00Z"`) {
			t.Errorf("the estate no longer says when it was taken (%v)", err)
		}
	})
}

// Options.Longest bounds every wait of a rehearsal: each operation, each job with all its phases, each Retry-After;
// and operations that a command left running have ended when the next command reads.
func TestNothingTakesLongerThanTheLongest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		path := writeEstate(t, estate(t))
		c := open1(t, path, Options{Longest: time.Second})
		a := c.do("PUT", itemPath("VM1"), protectBody("VM1", "daily"), 202)
		if got := a.header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After %q", got)
		}
		time.Sleep(time.Second)
		if p := c.get(a.header.Get("Azure-AsyncOperation")); rawjson.TextAt(p.body, "status") != "Succeeded" {
			t.Errorf("after a second: %s", p.body)
		}
		b := c.do("POST", itemPath("vm1")+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`, 202)
		time.Sleep(time.Second)
		job := rawjson.TextAt(c.get(b.header.Get("Azure-AsyncOperation")).body, "properties", "jobId")
		if j := c.get(testVault + "/backupJobs/" + job); rawjson.TextAt(j.body, "properties", "status") != "Completed" {
			t.Errorf("a second after the request: %s", j.body)
		}
		a = c.do("PUT", itemPath("VM2"), protectBody("VM2", "daily"), 202)
		if err := c.s.Close(); err != nil {
			t.Fatal(err)
		}
		c = open1(t, path, Options{Longest: time.Second})
		if p := c.get(a.header.Get("Azure-AsyncOperation")); rawjson.TextAt(p.body, "status") != "Succeeded" {
			t.Errorf("for the next command: %s", p.body)
		}
		if err := c.s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// What a client that only reads saw end has ended for the next one, too; one that saw nothing end leaves the file alone.
func TestTheClockDoesNotGoBackBehindWhatAClientSawEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		path := writeEstate(t, estate(t))
		set := Options{Settings: Settings{Durations: map[string]Range{"": Fixed(3 * time.Minute)}}}
		run := func(d time.Duration, do func(c *client)) {
			c := open1(t, path, set)
			time.Sleep(d)
			do(c)
			if err := c.s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		var asked answered
		run(0, func(c *client) { asked = c.do("PUT", itemPath("vm1"), protectBody("VM1", "daily"), 202) })
		before, _ := os.ReadFile(path)
		status := func(want string) func(c *client) {
			return func(c *client) {
				if got := rawjson.TextAt(c.get(asked.header.Get("Azure-AsyncOperation")).body, "status"); got != want {
					t.Errorf("the operation is %s, want %s", got, want)
				}
			}
		}
		run(time.Minute, status("InProgress"))
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Error("a read changed the file")
		}
		run(4*time.Minute, status("Succeeded"))
		run(0, status("Succeeded"))
	})
}
