package azure

import (
	"context"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// tokenSource hands out the token of a client, which has one scope and one tenant. It asks its credential for one at a
// time and only when it needs one: at first, when the one it has is due, when Azure refused that, and for claims.
// Credentials start programs (az) or ask over the network, and azcore drops its token at every 401, so that thirty
// requests refused at once would ask thirty times. It is safe for concurrent use.
type tokenSource struct {
	// newCredential makes a credential that remembers nothing; nil = there is none.
	newCredential func() (azcore.TokenCredential, error)
	now           func() time.Time

	// fetching has one place, for who asks for a token: whoever else needs one waits for it.
	fetching   chan struct{}
	credential azcore.TokenCredential

	mu        sync.Mutex
	token     azcore.AccessToken
	claims    string // that token was asked for with
	round     int    // how often a token was got
	isRefused bool   // Azure refused token, in this round
	repeats   int    // how often in a row the credential gave the token that was refused
}

// renewLeeway is how long before its end a token without a RefreshOn is due: as azcore counts (docs/azure.md §28.6).
const renewLeeway = 5 * time.Minute

func newTokenSource(credential azcore.TokenCredential, anew func() (azcore.TokenCredential, error), now func() time.Time) *tokenSource {
	return &tokenSource{newCredential: anew, now: now, fetching: make(chan struct{}, 1), credential: credential}
}

// GetToken implements [azcore.TokenCredential]. Errors are [SignInError], or the context's.
func (t *tokenSource) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if token, ok := t.cachedToken(o.Claims); ok {
		return token, nil
	}
	select {
	case t.fetching <- struct{}{}:
		defer func() { <-t.fetching }()
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	}
	if token, ok := t.cachedToken(o.Claims); ok {
		return token, nil // somebody else has asked meanwhile
	}
	token, err := t.fetch(ctx, o)
	if err == nil {
		err = t.store(token, o.Claims)
	}
	if err != nil && ctx.Err() == nil {
		err = signInError(err)
	}
	return token, err
}

// fetch gets a token from the credential, and from one that remembers nothing where that gives the token that was
// refused: credentials keep tokens until those say that they end.
func (t *tokenSource) fetch(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := t.credential.GetToken(ctx, o)
	if err != nil || !t.wasRefused(token) || t.newCredential == nil {
		return token, err
	}
	credential, err := t.newCredential()
	if err != nil {
		return token, err
	}
	t.credential = credential
	return credential.GetToken(ctx, o)
}

// store makes token the one that is handed out. One that was refused is handed out once more, for the refusal may
// have been a slip of the service; then there is no use in going on.
func (t *tokenSource) store(token azcore.AccessToken, claims string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isRefused || token.Token != t.token.Token {
		t.repeats = 0
	} else if t.repeats++; t.repeats > 1 {
		return &SignInError{Message: "Azure refuses the token, and the credential has no other one"}
	}
	t.token, t.claims, t.isRefused = token, claims, false
	t.round++
	return nil
}

func (t *tokenSource) wasRefused(token azcore.AccessToken) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isRefused && token.Token == t.token.Token
}

// cachedToken is the token that is held, where it need not be replaced and meets claims.
func (t *tokenSource) cachedToken(claims string) (azcore.AccessToken, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	due := t.token.RefreshOn
	if due.IsZero() {
		due = t.token.ExpiresOn.Add(-renewLeeway)
	}
	return t.token, t.token.Token != "" && !t.isRefused && t.now().Before(due) && (claims == "" || claims == t.claims)
}

// currentRound is the round whose token is handed out now.
func (t *tokenSource) currentRound() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.round
}

// markRefused notes that Azure refused a token that was handed out in a round. A token that was replaced meanwhile does
// not count.
func (t *tokenSource) markRefused(token string, round int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if token == t.token.Token && round == t.round {
		t.isRefused = true
	}
}
