package quota

import (
	"testing"
	"time"
)

// clockwork drives one limit model by hand.
type clockwork struct {
	limitModel
	now time.Time
}

func by(m limitModel) *clockwork {
	return &clockwork{limitModel: m, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
}

func (c *clockwork) waits(class Class) time.Duration {
	d, _ := c.waitTime(c.now, class)
	return d
}

// told reserves one request and commits it with an answer that reports left.
func (c *clockwork) told(left int) {
	c.commit(c.now, c.reserve(c.now, Confirm), answer{answered: true, accepted: true, hasRemaining: true, remaining: left})
}

// After a 429 an ARM bucket holds the refill of the pause, whatever its level before.
func TestRefusedTokenBucketIsEmpty(t *testing.T) {
	c := by(newTokenBucket(200, 10))
	k := c.reserve(c.now, Write)
	c.commit(c.now, k, answer{answered: true})
	c.onThrottled(c.now, retryHint{wait: time.Second}, 0)
	c.now = c.now.Add(time.Second)
	if got := c.budget(c.now).Remaining; got > 10 {
		t.Errorf("%d remain a second after a 429, want what refilled: 10 at most", got)
	}
}

// Several 429s at once, without a time, make one pause; after a success the next pause is short again.
func TestRefusalsTogetherAreOnePause(t *testing.T) {
	c := by(newTokenBucket(200, 10))
	refuse := func(n int) {
		tickets := make([]reservation, n)
		for i := range tickets {
			tickets[i] = c.reserve(c.now, Write)
		}
		for _, k := range tickets {
			c.commit(c.now, k, answer{answered: true})
			c.onThrottled(c.now, retryHint{}, 0)
		}
	}
	refuse(5)
	if got := c.waits(Write); got != firstPause {
		t.Fatalf("five at once pause for %s, want %s", got, firstPause)
	}
	c.now = c.now.Add(firstPause)
	refuse(1)
	if got := c.waits(Write); got != 2*firstPause {
		t.Fatalf("the next pauses for %s, want %s", got, 2*firstPause)
	}
	c.now = c.now.Add(time.Minute)
	c.told(100)
	refuse(1)
	if got := c.waits(Write); got != firstPause {
		t.Errorf("the first after a success pauses for %s, want %s", got, firstPause)
	}
}

// An answer in flight while its window ended does not count for the next one.
func TestAnswerOfTheWindowBeforeIsNotBelieved(t *testing.T) {
	c := by(newWindow(150, time.Hour, false))
	c.told(149)
	c.now = c.now.Add(time.Hour - time.Second)
	slow := c.reserve(c.now, Confirm)
	c.now = c.now.Add(2 * time.Second)
	if got := c.waits(Confirm); got == 0 {
		t.Fatal("a second request went before the slow one was back: nobody knows of which window it is")
	}
	c.commit(c.now, slow, answer{answered: true, accepted: true, hasRemaining: true, remaining: 0})
	if got := c.waits(Confirm); got != 0 {
		t.Errorf("the new window has to be waited %s for, because the old one was used up", got)
	}
	c.reserve(c.now, Confirm)
	if got := c.waits(Confirm); got == 0 {
		t.Error("a second request went, though the first of the window is not back")
	}
}

// A counter that rises too early for a new window is another front end's. Its window may end at any time, so its
// last requests are spread like those of any other.
func TestCounterOfAnotherFrontEnd(t *testing.T) {
	w := newWindow(150, time.Hour, false)
	c := by(w)
	c.told(149)
	c.now = c.now.Add(59*time.Minute + 59*time.Second)
	c.told(148)
	c.now = c.now.Add(2 * time.Second)
	c.told(149) // a new window
	c.told(148)
	if got := w.tailReserve(); got != 0 {
		t.Fatalf("%d are kept, though the end of the window is known", got)
	}
	for _, left := range []int{3, 100, 100} {
		c.now = c.now.Add(time.Minute)
		c.told(left)
	}
	if got := c.budget(c.now).Remaining; got < 25 {
		t.Errorf("%d remain, want the last header believed", got)
	}
	if got := w.tailReserve(); got == 0 {
		t.Error("nothing is kept to see the end of a window whose place is not known")
	}
}

// Failed answers report nothing: one request at a time continues to probe.
func TestFailedAnswersTellNothing(t *testing.T) {
	c := by(newWindow(150, time.Hour, false))
	for range 3 {
		k := c.reserve(c.now, Confirm)
		if c.waits(Confirm) == 0 {
			t.Fatal("two went at once, though nobody knows what is left")
		}
		c.commit(c.now, k, answer{answered: true})
	}
}

// A failed answer does not create a limit.
func TestFailedAnswerDoesNotLimit(t *testing.T) {
	c := by(newWindow(150, time.Hour, false))
	for range 200 {
		c.commit(c.now, c.reserve(c.now, Confirm), answer{answered: true, accepted: true})
	}
	c.commit(c.now, c.reserve(c.now, Confirm), answer{answered: true})
	if got := c.budget(c.now).Remaining; got != Unlimited {
		t.Errorf("%d remain, want no limit", got)
	}
}

// Requests wait for the end of a used-up window, however short the pause of a 429 without a time.
func TestUsedUpWindowIsWaitedFor(t *testing.T) {
	c := by(newWindow(150, time.Hour, false))
	c.told(0)
	c.onThrottled(c.now, retryHint{}, 0)
	if got := c.waits(Confirm); got != firstPause {
		t.Fatalf("paused for %s, want %s", got, firstPause)
	}
	c.now = c.now.Add(firstPause)
	if got := c.waits(Confirm); got != time.Hour-firstPause {
		t.Errorf("waits %s, want the rest of the hour", got)
	}
}

// A change that was never sent does not count.
func TestDailyLimitForgetsWhatWasNotSent(t *testing.T) {
	c := by(newDailyLimit(2))
	c.cancel(c.reserve(c.now, Write))
	c.reserve(c.now, Write)
	if got := c.budget(c.now).Remaining; got != 1 {
		t.Errorf("%d remain of 2 after one was sent, want 1", got)
	}
}

// The pace of other clients observed in one window is reserved for them in the next from its start.
func TestPaceOfOthersIsRemembered(t *testing.T) {
	w := newWindow(300, time.Hour, false)
	c := by(w)
	for left := 299; left > 0; left -= 10 { // nine of ten are of other clients; ours is one in twelve seconds
		c.told(left)
		c.now = c.now.Add(2 * time.Minute)
	}
	c.now = c.now.Add(time.Hour)
	c.waits(Confirm)
	c.told(299)
	if got := w.expectedOthers(); got != 100 {
		t.Errorf("%d are left to others, want a third", got)
	}
}
