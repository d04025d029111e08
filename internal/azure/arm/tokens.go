package arm

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// tokenSource supplies the token of a client, which has one scope and one tenant. It requests one at a time from its
// credential and only on need: at first, when its token is due or was refused by Azure, and for claims. Credentials
// start programs (az) or send requests, and azcore drops its token at every 401, so that thirty requests refused at
// once would cause thirty requests for a token. It is safe for concurrent use.
type tokenSource struct {
	// newCredential returns a credential without a cache; nil = there is none.
	newCredential func() (azcore.TokenCredential, error)
	now           func() time.Time

	// fetching has one slot, for the goroutine that requests a token; all others wait for its result.
	fetching   chan struct{}
	credential azcore.TokenCredential

	mu        sync.Mutex
	token     azcore.AccessToken
	obtained  time.Time // when token was
	claims    string    // of the request for token
	round     int       // counts the tokens obtained
	isRefused bool      // Azure refused token, in this round
	repeats   int       // counts how often in a row the credential returned the refused token
}

// renewLeeway is how long before its expiry a token without a RefreshOn is due: azcore's rule (docs/azure.md §28.6). It is also
// how long a token is used at least unless it is refused: where the machine's clock is wrong, each token seems to be due.
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
		return token, nil // another goroutine has renewed it meanwhile
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

// fetch gets a token from the credential, or from a new one without a cache where the first returns the refused token:
// credentials cache tokens until their expiry.
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

// store makes token the current one. A refused token is tried once more, because the refusal may have been the
// service's error; refused again, it is an error.
func (t *tokenSource) store(token azcore.AccessToken, claims string) error {
	if !isSendable(token.Token) {
		return &SignInError{Message: "the token holds a line break or another character that no token has"}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isRefused || token.Token != t.token.Token {
		t.repeats = 0
	} else if t.repeats++; t.repeats > 1 {
		return &SignInError{Message: "Azure refuses the token, and the credential has no other one"}
	}
	t.token, t.obtained, t.claims, t.isRefused = token, t.now(), claims, false
	t.round++
	return nil
}

// isSendable reports whether a header can carry a token. A file with line breaks of Windows leaves one at its end.
func isSendable(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7F })
}

func (t *tokenSource) wasRefused(token azcore.AccessToken) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isRefused && token.Token == t.token.Token
}

// cachedToken returns the current token, if it is not due and meets claims.
func (t *tokenSource) cachedToken(claims string) (azcore.AccessToken, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	due := t.token.RefreshOn
	if due.IsZero() {
		due = t.token.ExpiresOn.Add(-renewLeeway)
	}
	if used := t.obtained.Add(renewLeeway); due.Before(used) {
		due = used
	}
	return t.token, t.token.Token != "" && !t.isRefused && t.now().Before(due) && (claims == "" || claims == t.claims)
}

// currentRound returns the round of the current token.
func (t *tokenSource) currentRound() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.round
}

// markRefused records that Azure refused a token supplied in a round. A token that was replaced meanwhile does not
// count.
func (t *tokenSource) markRefused(token string, round int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if token == t.token.Token && round == t.round {
		t.isRefused = true
	}
}
