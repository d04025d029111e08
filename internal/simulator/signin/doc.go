// Package signin is the tenant's sign-in as the simulator has it: the endpoints of Microsoft Entra ID and of a managed
// identity, the tokens they issue, and the judgement of the tokens that requests carry (docs/azure.md §28). A token has
// Azure's format and is good only here: its signature is the simulator's own. What a server refuses is in
// [settings.SignIn].
//
// To read it: endpoints.go, client.go (who may sign in), tokens.go (which tokens are still good).
package signin
