package azure

import (
	"context"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// tokens hands out the token of a client, which has one scope and one tenant. It asks its credential for one at a
// time and only when it needs one: at first, when the one it has is due, when Azure refused that, and for claims.
// Credentials start programs (az) or ask over the network, and azcore drops its token at every 401, so that thirty
// requests refused at once would ask thirty times. It is safe for concurrent use.
type tokens struct {
	// anew makes a credential that remembers nothing; nil = there is none.
	anew func() (azcore.TokenCredential, error)
	now  func() time.Time

	// asking has one place, for who asks for a token: whoever else needs one waits for it.
	asking     chan struct{}
	credential azcore.TokenCredential

	mu      sync.Mutex
	token   azcore.AccessToken
	claims  string // that token was asked for with
	round   int    // how often a token was got
	refused bool   // Azure refused token, in this round
	again   int    // how often in a row the credential gave the token that was refused
}

// renewBefore is how long before its end a token without a RefreshOn is due: as azcore counts (docs/azure.md §28.6).
const renewBefore = 5 * time.Minute

func newTokens(credential azcore.TokenCredential, anew func() (azcore.TokenCredential, error), now func() time.Time) *tokens {
	return &tokens{anew: anew, now: now, asking: make(chan struct{}, 1), credential: credential}
}

// GetToken implements [azcore.TokenCredential]. Errors are [SignInError], or the context's.
func (t *tokens) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if token, ok := t.good(o.Claims); ok {
		return token, nil
	}
	select {
	case t.asking <- struct{}{}:
		defer func() { <-t.asking }()
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	}
	if token, ok := t.good(o.Claims); ok {
		return token, nil // somebody else has asked meanwhile
	}
	token, err := t.ask(ctx, o)
	if err == nil {
		err = t.take(token, o.Claims)
	}
	if err != nil && ctx.Err() == nil {
		err = signInError(err)
	}
	return token, err
}

// ask gets a token from the credential, and from one that remembers nothing where that gives the token that was
// refused: credentials keep tokens until those say that they end.
func (t *tokens) ask(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := t.credential.GetToken(ctx, o)
	if err != nil || !t.wasRefused(token) || t.anew == nil {
		return token, err
	}
	credential, err := t.anew()
	if err != nil {
		return token, err
	}
	t.credential = credential
	return credential.GetToken(ctx, o)
}

// take makes token the one that is handed out. One that was refused is handed out once more, for the refusal may
// have been a slip of the service; then there is no use in going on.
func (t *tokens) take(token azcore.AccessToken, claims string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.refused || token.Token != t.token.Token {
		t.again = 0
	} else if t.again++; t.again > 1 {
		return &SignInError{Message: "Azure refuses the token, and the credential has no other one"}
	}
	t.token, t.claims, t.refused = token, claims, false
	t.round++
	return nil
}

func (t *tokens) wasRefused(token azcore.AccessToken) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.refused && token.Token == t.token.Token
}

// good is the token that is held, where it need not be replaced and meets claims.
func (t *tokens) good(claims string) (azcore.AccessToken, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	due := t.token.RefreshOn
	if due.IsZero() {
		due = t.token.ExpiresOn.Add(-renewBefore)
	}
	return t.token, t.token.Token != "" && !t.refused && t.now().Before(due) && (claims == "" || claims == t.claims)
}

// current is the round whose token is handed out now.
func (t *tokens) current() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.round
}

// refuse notes that Azure refused a token that was handed out in a round. A token that was replaced meanwhile does
// not count.
func (t *tokens) refuse(token string, round int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if token == t.token.Token && round == t.round {
		t.refused = true
	}
}
