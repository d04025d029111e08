package config

// Reread is c as [Load] would read it back, were it the only file and written by [Config.Encode]. What Load would
// refuse is a *[LoadError] whose problems stand in the text that was written.
func (c *Config) Reread() (*Config, error) {
	text, err := c.Encode(nil)
	if err != nil {
		return nil, err
	}
	out := &diagnostics{}
	nothing := func(string) (string, bool) { return "", false }
	again := read([]*source{{text: string(text)}}, true, newVariables(nothing, out), out)
	if _, err := out.sortedResult(nil); err != nil {
		return nil, err
	}
	return again, nil
}
