package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// withPerson lets time pass, and a colleague act, while the program first waits for an answer from its terminal,
// independent of the speed of execution. $THINKS is how long the person takes to answer by the machine's clock.
// $COLLEAGUE is a file with the requests that the colleague sends to $URL meanwhile, one per line: METHOD PATH [BODY].
// An operation that a request starts is followed to its end. With $PRESSES the person presses Ctrl-C instead of answering.
func withPerson(s Streams) Streams {
	p := &person{Reader: s.In}
	p.think = sync.OnceFunc(p.wait)
	now := s.Now
	s.Now = func() time.Time { return now().Add(time.Duration(p.late.Load())) }
	s.In = p
	return s
}

type person struct {
	io.Reader
	think func()
	late  atomic.Int64
}

// Read implements [io.Reader].
func (p *person) Read(b []byte) (int, error) {
	p.think()
	return p.Reader.Read(b)
}

func (p *person) wait() {
	if file := os.Getenv("COLLEAGUE"); file != "" {
		if err := colleague(os.Getenv("URL"), file); err != nil {
			panic(err)
		}
	}
	if thinks := os.Getenv("THINKS"); thinks != "" {
		d, err := time.ParseDuration(thinks)
		if err != nil {
			panic(err)
		}
		p.late.Store(int64(d))
	}
	if os.Getenv("PRESSES") != "" {
		self, err := os.FindProcess(os.Getpid())
		if err = errors.Join(err, self.Signal(os.Interrupt)); err != nil {
			panic(err)
		}
		select {} // no answer comes
	}
}

// colleague sends the requests in a file.
func colleague(url, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		method, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		path, body, _ := strings.Cut(rest, " ")
		if method == "" {
			continue
		}
		answer, _, err := send(method, url+path, body)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		if err := follow(answer.Header.Get("Azure-AsyncOperation")); err != nil {
			return fmt.Errorf("following %s %s: %w", method, path, err)
		}
	}
	return nil
}

func send(method, url, body string) (*http.Response, []byte, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Authorization", "Bearer colleague")
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(answer.Body)
	if err = errors.Join(err, answer.Body.Close()); err == nil && answer.StatusCode >= 400 {
		err = fmt.Errorf("%s: %s", answer.Status, text)
	}
	return answer, text, err
}

// follow polls an operation until it has ended; "" = none.
func follow(operation string) error {
	if operation == "" {
		return nil
	}
	for range 2000 {
		_, text, err := send(http.MethodGet, operation, "")
		if err != nil {
			return err
		}
		var status struct{ Status string }
		if err := json.Unmarshal(text, &status); err != nil {
			return err
		}
		switch status.Status {
		case "Succeeded":
			return nil
		case "Failed", "Canceled":
			return fmt.Errorf("it ended as %s", text)
		}
		time.Sleep(10 * time.Millisecond) // the operation runs in another process
	}
	return errors.New("it never ended")
}
