package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// Amount is money in hundredths of a currency's unit. In JSON it is a number with two decimals.
type Amount int64

// millionthsPerHundredth leads from the unit of prices to that of amounts.
const millionthsPerHundredth = 10_000

// roundAmount rounds millionths to hundredths, halves away from zero.
func roundAmount(millionths int64) Amount {
	half := int64(millionthsPerHundredth / 2)
	if millionths < 0 {
		half = -half
	}
	return Amount((millionths + half) / millionthsPerHundredth)
}

// String returns the amount with two decimals, e.g. -8.05.
func (a Amount) String() string {
	sign, n := "", a
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// MarshalJSON implements [json.Marshaler].
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON implements [json.Unmarshaler]. It reads what MarshalJSON writes, and whole numbers and one decimal, to
// which formatters shorten it.
func (a *Amount) UnmarshalJSON(b []byte) error {
	whole, decimals, _ := strings.Cut(string(b), ".")
	if len(decimals) > 2 {
		return fmt.Errorf("%s is no amount with two decimals", b)
	}
	n, err := strconv.ParseInt(whole+decimals+strings.Repeat("0", 2-len(decimals)), 10, 64)
	*a = Amount(n)
	return err
}
