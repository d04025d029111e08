package config

import (
	"strconv"
	"strings"
)

// Prices are what backup costs, as the operator's file says: the program contains no prices of its own.
type Prices struct {
	Version int `yaml:"version" jsonschema:"required,minimum=1,maximum=1"`
	// Currency is a code of ISO 4217, such as EUR.
	Currency string         `yaml:"currency" jsonschema:"required,format=currency"`
	Instance InstancePrices `yaml:"instance" jsonschema:"required"`
	Storage  StoragePrices  `yaml:"storage" jsonschema:"required"`

	// File is the file's name as given.
	File string `yaml:"-"`
}

// InstancePrices are the prices of a protected instance per month, by the size of its disks.
type InstancePrices struct {
	UpTo50GB  Price `yaml:"upTo50GB" jsonschema:"required,maximum=999999"`
	UpTo500GB Price `yaml:"upTo500GB" jsonschema:"required,maximum=999999"`
	// Further500GB is added for each further 500 GB that was begun.
	Further500GB Price `yaml:"further500GB" jsonschema:"required,maximum=999999"`
	// ChargedWhileStopped reports whether an instance costs as much while its protection is stopped and its data is kept.
	ChargedWhileStopped bool `yaml:"chargedWhileStopped" jsonschema:"required"`
}

// StoragePrices are the prices of a GB of backup storage per month, by the redundancy of the vault; nil = unknown.
type StoragePrices struct {
	LocallyRedundant *Price `yaml:"LocallyRedundant" jsonschema:"maximum=9999"`
	ZoneRedundant    *Price `yaml:"ZoneRedundant" jsonschema:"maximum=9999"`
	GeoRedundant     *Price `yaml:"GeoRedundant" jsonschema:"maximum=9999"`
	// CrossRegionRestore is for a geo-redundant vault with cross-region restore.
	CrossRegionRestore *Price `yaml:"CrossRegionRestore" jsonschema:"maximum=9999"`
}

// Price is an amount of the currency in millionths.
type Price int64

// priceDecimals is how many decimals a [Price] has.
const priceDecimals = 6

// LoadPrices reads a file of prices. The error is a *[LoadError] with every problem found.
func LoadPrices(name string) (*Prices, error) {
	out := &diagnostics{}
	prices := &Prices{File: name}
	if src := readFile(name, out); src != nil {
		if root := parse(src, out); root != nil {
			newDecoder(out).decode(root, addressable(prices), fieldLimits{}, nil)
		}
	}
	if failures := sortByPosition(out.failures, nil); len(failures) > 0 {
		return nil, &LoadError{Problems: failures, Subject: "the file of prices", causes: out.causes}
	}
	return prices, nil
}

// decodePrice reads a decimal number, digit by digit: a float would change it.
func (dec *decoder) decodePrice(n *node, l fieldLimits, p *path) Price {
	const want, hint = "a price such as 8.00", "write plain decimal digits with a point, and at most six decimals"
	if n.kind != scalar || n.isNull() || n.tag == tagBool {
		dec.wrongType(n, p, want)
		return 0
	}
	whole, decimals, hasPoint := strings.Cut(n.text, ".")
	if !isDigits(whole) || hasPoint && !isDigits(decimals) || len(decimals) > priceDecimals {
		dec.fail(n, "value", hint, "%s must be %s, not %s", p, want, quote(n.text))
		return 0
	}
	units, err := strconv.Atoi(whole)
	if err != nil || l.max != nil && units > *l.max {
		dec.fail(n, "range", "", "%s must be less than %d, not %s", p, *l.max+1, clip(n.text))
		return 0
	}
	millionths, _ := strconv.Atoi(decimals + strings.Repeat("0", priceDecimals-len(decimals)))
	return Price(units)*1_000_000 + Price(millionths)
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
