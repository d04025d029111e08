// Package rules is what the test reads.
package rules

// answer holds a rule (docs/azure.md §3, §33.9). More is said here.
func answer(n int) string {
	if n == 1 {
		return Error(400, "TooFew", "one is too few")
	}
	// Two are enough (docs/azure.md §33.12).
	if n == 2 {
		return "two"
	}
	return "many" // docs/azure.md §7.1
}

// never holds another (docs/azure.md §4).
func never() string { return answer(0) }

// Error cites nothing.
func Error(int, string, string) string { return "" }
