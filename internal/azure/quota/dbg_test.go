package quota
import ("testing";"testing/synctest";"time";"sync")
func TestDbg(t *testing.T) {
	for i := range 2000 {
	synctest.Test(t, func(t *testing.T) {
		s, g := newService(0x11bacf793+uint64(i)), New(Options{})
		s.latency=2
		s.window(ListItems, 108, time.Hour, 2)
				var all sync.WaitGroup
				stop := time.Now().Add(1 * time.Minute)
				all.Go(func() { hammer(t.Context(), g, s, 59, Confirm, ListItems, stop) })
				all.Go(func() { hammer(t.Context(), g, s, 59, Other, ListItems, stop) })
				all.Wait()
			if _, r := s.counts(ListItems); r > 0 { t.Errorf("run %d refused %d at %v ends %v", i, r, s.when, s.windows[ListItems].ends.UnixNano()-s.born.UnixNano()) }
	})
	}
}
