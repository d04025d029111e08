// Package rules is what the test reads.
package rules

// answer holds a rule (azure-api.md §3, FACTS 9). More is said here.
func answer(n int) string {
	if n == 1 {
		return fail(400, "TooFew", "one is too few")
	}
	// Two are enough (FACTS 12).
	if n == 2 {
		return "two"
	}
	return "many" // azure-api.md §7.1
}

// never holds another (azure-api.md §4).
func never() string { return answer(0) }

// fail cites nothing.
func fail(int, string, string) string { return "" }
