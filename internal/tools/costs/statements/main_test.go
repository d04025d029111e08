package main

import "testing"

func TestStatementsAreCountedAsOftenAsTheyRan(t *testing.T) {
	got, err := sum([]byte("mode: atomic\na/b.go:1.2,3.4 2 10\na/b.go:5.1,6.2 3 0\na/with space.go:7.1,8.2 1 5\n"))
	if err == nil {
		t.Errorf("a line that is no block was taken: %d", got)
	}
	got, err = sum([]byte("mode: atomic\na/b.go:1.2,3.4 2 10\na/b.go:5.1,6.2 3 0\na/c.go:7.1,8.2 1 5\n"))
	if err != nil || got != 25 {
		t.Errorf("%d, %v, want 25", got, err)
	}
}
