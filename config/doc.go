// Package config is the desired state: the only room that knows YAML.
package config

//go:generate go run gen_timezones.go
