package simulator

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/azbackup/azbackup/internal/simulator/settings"
)

// serveEnv names the estate that a test process serves until it is killed.
const serveEnv = "SIMULATOR_TEST_SERVE"

// TestServeUntilKilled is the other process of TestWhatWasAnsweredOutlivesAKill.
func TestServeUntilKilled(t *testing.T) {
	path := os.Getenv(serveEnv)
	if path == "" {
		t.Skip("only in the process that is to be killed")
	}
	s, err := Open(path, Options{Settings: settings.Settings{Durations: map[string]settings.Range{"": settings.Fixed(20 * time.Millisecond)}}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(l.Addr())
	t.Fatal(http.Serve(l, s))
}

// spawn starts a simulator in a process of its own.
func spawn(t *testing.T, path string) (*exec.Cmd, *client) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServeUntilKilled$")
	cmd.Env = append(os.Environ(), serveEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, &client{t: t, base: "http://" + strings.TrimSpace(line)}
}

func TestWhatWasAnsweredOutlivesAKill(t *testing.T) {
	const counted, flying = 60, 60 // machines whose writes are counted; those whose writes are in flight at a kill
	var vms []string
	for i := range counted + flying {
		vms = append(vms, vmBody(fmt.Sprintf("m%d", i), "westeurope"))
	}
	path := writeEstate(t, estate(t, `"virtualMachines":[`+strings.Join(vms, ",")+`]`))
	accepted := map[string]bool{}
	for next := 0; next < counted; {
		cmd, c := spawn(t, path)
		for until := next + 1 + rand.IntN(20); next < until && next < counted; next++ {
			name := fmt.Sprintf("m%d", next)
			if a, err := c.try("PUT", itemPath(name), protectBody(name, "daily")); err == nil && a.status == 202 {
				accepted[name] = true
			}
		}
		go func() {
			for i := range flying { // on machines of their own: they would conflict with the counted writes
				name := fmt.Sprintf("m%d", counted+i)
				r, err := http.NewRequest("PUT", c.base+itemPath(name)+"?api-version="+testAPI, strings.NewReader(protectBody(name, "daily")))
				if err != nil {
					return
				}
				resp, err := c.http.Do(r)
				if err != nil {
					return
				}
				_ = resp.Body.Close()
			}
		}()
		time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // killed
	}
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, s: s, base: "https://management.azure.com", http: http.Client{Transport: s.Transport()}}
	time.Sleep(30 * time.Millisecond)
	for name := range accepted {
		c.get(itemPath(name))
	}
	if len(accepted) != counted {
		t.Errorf("%d writes were accepted, want %d", len(accepted), counted)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
