package config

import "time"

// applyDefaults sets the fields that have a default and that the file does not set.
func (c *Config) applyDefaults(isSet func(field any) bool) {
	c.Version = 1
	if c.Cloud == (Cloud{}) {
		c.Cloud.Name = "AzurePublic"
	}
	for i := range c.Vaults {
		v := &c.Vaults[i]
		if v.Match == nil && v.Subscription == "" && len(c.Subscriptions) == 1 {
			v.Subscription = c.Subscriptions[0]
		}
		setDefault(&v.Unmatched, "report")
	}
	for i := range c.Rules {
		setDefault(&c.Rules[i].Protect, ProtectOn)
	}
	for i := range c.RestoreTests {
		setDefault(&c.RestoreTests[i].Point, PointLatest)
	}
	s := &c.Settings
	setDefault(&s.Refresh, "auto")
	setDefault(&s.Elsewhere, "block")
	setDefault(&s.Limits.Writes, 64)
	setDefault(&s.Limits.Polls, 8)
	setDefault(&s.Limits.Operations, OperationsAuto)
	setDefault(&s.Limits.Restores, 20)
	setDefault(&s.Limits.ItemTimeout, 30*time.Minute)
	setDefault(&s.Limits.RestoreTimeout, 8*time.Hour)
	run := 6 * time.Hour
	if len(c.RestoreTests) > 0 { // a restore from the vault takes hours, and the run's end would cut it
		run = max(run, s.Limits.RestoreTimeout+testSteps)
	}
	setDefault(&s.Limits.RunTimeout, run)
	// Zero is a value here: nothing may be stopped, nothing may be changed.
	if !isSet(&s.Guards.MaxStops) {
		s.Guards.MaxStops = Share{Count: 10, Percent: true}
	}
	if !isSet(&s.Guards.MaxChanges) {
		s.Guards.MaxChanges = 1000
	}
	if !isSet(&s.Guards.MaxRestores) {
		s.Guards.MaxRestores = 20
	}
}

// testSteps is how long a run takes at most besides the restore of a test: what comes before it, and its other steps.
const testSteps = time.Hour

// DefaultSettings returns the settings of a file that sets none.
func DefaultSettings() Settings {
	var c Config
	c.applyDefaults(func(any) bool { return false })
	return c.Settings
}

func setDefault[T comparable](value *T, to T) {
	var zero T
	if *value == zero {
		*value = to
	}
}
