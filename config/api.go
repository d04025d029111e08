package config

// Target is what a rule looks at in a VM.
type Target struct {
	ID            string
	Name          string
	ResourceGroup string
	Subscription  string
	Location      string
	Tags          map[string]string
}
