package arm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/google/go-cmp/cmp"
)

// purse is a slow credential that caches its token, as azidentity's do.
type purse struct {
	name string
	// forgets makes it return another token each time, as az may.
	forgets bool
	err     error

	mu     sync.Mutex
	asked  []string // the claims of each request
	opened int
}

func (p *purse) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	time.Sleep(time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, o.Claims)
	if p.opened == 0 || p.forgets || o.Claims != "" {
		p.opened++
	}
	return azcore.AccessToken{Token: fmt.Sprint(p.name, p.opened), ExpiresOn: time.Now().Add(time.Hour)}, p.err
}

func tokensOf(p *purse, anew ...*purse) *tokenSource {
	return newTokenSource(p, func() (azcore.TokenCredential, error) { return anew[0], nil }, time.Now)
}

// all calls GetToken n times concurrently, and returns how often each token was returned, and the last error.
func (t *tokenSource) all(ctx context.Context, n int, claims string) (got map[string]int, err error) {
	got = map[string]int{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			token, e := t.GetToken(ctx, policy.TokenRequestOptions{Claims: claims})
			mu.Lock()
			defer mu.Unlock()
			if e != nil {
				err = e
				return
			}
			got[token.Token]++
		})
	}
	group.Wait()
	return got, err
}

func TestATokenIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &purse{name: "t", forgets: true}
		tok := tokensOf(p)
		if got, err := tok.all(t.Context(), 30, ""); err != nil || got["t1"] != 30 {
			t.Errorf("at first: %v %v", got, err)
		}
		for range 30 { // thirty requests with the same token, all refused, interleaved with token requests
			tok.markRefused("t1", 1)
			if got, err := tok.all(t.Context(), 2, ""); err != nil || got["t2"] != 2 {
				t.Errorf("after a refusal: %v %v", got, err)
			}
		}
		for range 30 { // a challenge causes one token request, too
			tok.markRefused("t2", 2)
			if got, err := tok.all(t.Context(), 2, `{"c":1}`); err != nil || got["t3"] != 2 {
				t.Errorf("after a challenge: %v %v", got, err)
			}
		}
		time.Sleep(54 * time.Minute)
		if got, _ := tok.all(t.Context(), 2, ""); got["t3"] != 2 {
			t.Errorf("long before its end: %v", got)
		}
		time.Sleep(2 * time.Minute)
		if got, _ := tok.all(t.Context(), 2, ""); got["t4"] != 2 {
			t.Errorf("less than five minutes before its end: %v", got)
		}
		if d := cmp.Diff([]string{"", "", `{"c":1}`, ""}, p.asked); d != "" {
			t.Errorf("asked (-want +got):\n%s", d)
		}
	})
}

// Where the machine's clock is wrong each token seems to be due: it is used all the same, until Azure refuses it.
func TestATokenIsNotAskedForAtEachRequestWhateverTheMachinesClockSays(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, wrong := range []time.Duration{-year, -time.Hour, time.Hour, year} {
		synctest.Test(t, func(t *testing.T) {
			p := &purse{name: "t", forgets: true}
			tok := newTokenSource(p, nil, func() time.Time { return time.Now().Add(wrong) })
			for range 30 {
				if got, err := tok.all(t.Context(), 2, ""); err != nil || got["t1"] != 2 {
					t.Fatalf("wrong by %v: %v %v", wrong, got, err)
				}
			}
			tok.markRefused("t1", 1)
			if got, err := tok.all(t.Context(), 30, ""); err != nil || got["t2"] != 30 || len(p.asked) != 2 {
				t.Errorf("wrong by %v, after a refusal: %v %v, asked %d times", wrong, got, err, len(p.asked))
			}
		})
	}
}

func TestATokenThatNoHeaderCanCarryEndsTheSignIn(t *testing.T) {
	for _, token := range []string{"a\r", "a\n", "a b", "é", "\x00"} {
		tok := newTokenSource(staticToken(token), nil, time.Now)
		_, err := tok.GetToken(t.Context(), policy.TokenRequestOptions{})
		if e, ok := errors.AsType[*SignInError](err); !ok || !strings.Contains(e.Message, "the token holds") {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func TestACredentialThatRemembersARefusedTokenIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tok := tokensOf(&purse{name: "old"}, &purse{name: "new"})
		_, _ = tok.all(t.Context(), 1, "")
		tok.markRefused("old1", 1)
		if got, err := tok.all(t.Context(), 3, ""); err != nil || got["new1"] != 3 {
			t.Errorf("got %v %v", got, err)
		}
	})
}

func TestATokenThatIsRefusedTwiceAndCannotBeReplacedEndsTheSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tok := tokensOf(&purse{name: "t"}, &purse{name: "t"})
		_, _ = tok.all(t.Context(), 1, "")
		tok.markRefused("t1", 1)
		if got, err := tok.all(t.Context(), 3, ""); err != nil || got["t1"] != 3 {
			t.Errorf("a slip of the service: %v %v", got, err)
		}
		tok.markRefused("t1", 1) // of a request sent earlier
		if got, err := tok.all(t.Context(), 3, ""); err != nil || got["t1"] != 3 {
			t.Errorf("an answer that was late: %v %v", got, err)
		}
		tok.markRefused("t1", 2)
		_, err := tok.all(t.Context(), 3, "")
		if _, ok := errors.AsType[*SignInError](err); !ok {
			t.Errorf("refused again: %v", err)
		}
	})
}
