package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const pricesHead = "version: 1\ncurrency: EUR\n"

func writePrices(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "prices.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPricesAreReadDigitByDigit(t *testing.T) {
	file := writePrices(t, pricesHead+`instance: {upTo50GB: 4, upTo500GB: 8.10, further500GB: "0.000001", chargedWhileStopped: true}
storage: {LocallyRedundant: 0, GeoRedundant: 9999.999999}
`)
	got, err := LoadPrices(file)
	if err != nil {
		t.Fatal(err)
	}
	want := &Prices{
		Version: 1, Currency: "EUR", File: file,
		Instance: InstancePrices{UpTo50GB: 4_000_000, UpTo500GB: 8_100_000, Further500GB: 1, ChargedWhileStopped: true},
		Storage:  StoragePrices{LocallyRedundant: new(Price(0)), GeoRedundant: new(Price(9_999_999_999))},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestABadFileOfPricesSaysAllThatIsWrong(t *testing.T) {
	_, err := LoadPrices("testdata/prices/bad.yaml")
	if err == nil {
		t.Fatal("it was read")
	}
	const file = "testdata/prices/bad.txt"
	if *update {
		if err := os.WriteFile(file, []byte(err.Error()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, readErr := os.ReadFile(file)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if d := cmp.Diff(string(want), err.Error()+"\n"); d != "" {
		t.Error(d)
	}
}

func TestFilesThatAreNoPricesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "a config": "version: 1\nsubscriptions: []\n", "a list": "- 1\n", "two documents": pricesHead + "---\n" + pricesHead, "no YAML": "a: [",
		"an empty price":    pricesHead + "instance: {upTo50GB: , upTo500GB: 1, further500GB: 1, chargedWhileStopped: true}\nstorage: {}\n",
		"seven decimals":    pricesHead + "instance: {upTo50GB: 1.0000001, upTo500GB: 1, further500GB: 1, chargedWhileStopped: true}\nstorage: {}\n",
		"an exponent":       pricesHead + "instance: {upTo50GB: 1e3, upTo500GB: 1, further500GB: 1, chargedWhileStopped: true}\nstorage: {}\n",
		"not a number":      pricesHead + "instance: {upTo50GB: .nan, upTo500GB: 1, further500GB: 1, chargedWhileStopped: true}\nstorage: {}\n",
		"a variable":        pricesHead + "instance: {upTo50GB: \"${P}\", upTo500GB: 1, further500GB: 1, chargedWhileStopped: true}\nstorage: {}\n",
		"more than int":     pricesHead + "instance: {upTo50GB: 99999999999999999999, upTo500GB: 1, further500GB: 1, chargedWhileStopped: true}\nstorage: {}\n",
		"a million":         pricesHead + "instance: {upTo50GB: 1000000, upTo500GB: 1, further500GB: 1, chargedWhileStopped: true}\nstorage: {}\n",
		"nothing of a stop": pricesHead + "instance: {upTo50GB: 1, upTo500GB: 1, further500GB: 1}\nstorage: {}\n",
	} {
		_, err := LoadPrices(writePrices(t, text))
		if _, ok := errors.AsType[*LoadError](err); !ok {
			t.Errorf("%s: got %v, want a *LoadError", name, err)
		}
	}
	if _, err := LoadPrices("nowhere.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
