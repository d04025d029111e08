package plan

// DigestOf returns the digest of any JSON object.
func DigestOf(text string) string {
	d, err := digest([]byte(text))
	if err != nil {
		return err.Error()
	}
	return d
}

// ForecastOf returns the forecast for changes in vaults that hold nothing yet.
func ForecastOf(changes []Change) Forecast { return forecastOf(changes, nil, nil, 0) }
