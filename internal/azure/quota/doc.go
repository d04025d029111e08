// Package quota delays requests before Azure would refuse them. One [Limiter] serves one subscription and
// all requests of a run to it; a [Limiters] keeps one for each and plugs them into azcore's pipeline. It only admits:
// its callers decide what to read when, and what to give up, by the [Budget] that it returns.
//
//	Acquire(class, buckets) ── flows take turns ──► all buckets admit? ──► request ──► Permit.Observe(answer)
//	                                                      ▲                                  │
//	                              tokens, window, daily ──┴────────── headers, 429 ──────────┘
//
// # Strictness
//
// This client must cause no refusal. So a bucket's model is a lower bound of the service's counter, whatever the order
// in which the service counts requests in flight. Let a request be admitted at a, counted by the service at some
// unknown s, and answered at r, a ≤ s ≤ r. A header of its answer reports what was left just after s. Requests answered
// between a and r may have been counted after s, and those in flight at r too; the first are "overtaken" below, the
// second are always subtracted. What other clients draw between two answers cannot be known; only that can still cause
// a refusal.
//
// # Token buckets
//
// ARM's buckets (docs/azure.md §12) hold b and refill by ρ a second. The model fills a bucket of its own in which
// a request is counted when its answer comes, and admits while
//
//	level − in flight − slack ≥ 1
//
// The service counted each answered request earlier than the model did, so it overflowed less and refilled more:
// its level is at least level − in flight. The cost is a constant, not a rate: the refill during one round
// trip, once, and the slack of 2 % for other clients. Headers correct the level
//
//   - down, by how much less is left than there can be without other clients: the level when the request was admitted,
//     less all requests admitted since, without any refill. Requests in flight together all show what other clients
//     drew, so this may go too far; the next rule corrects that.
//   - up, to the header's value less those overtaken. A header above b makes b larger (before 2024 it
//     was 1200); a lone request to a bucket that should be full, and is not, makes b smaller until a header exceeds it.
//
// Several headers of one kind (subscription, global, tenant) count as the least of them.
//
// # Refill rates
//
// A model begins with the documented rate. A bucket that proves to hold less than half of the documented size is
// assumed to take as long to fill. Too low a rate costs little, because headers raise the level to what has
// refilled: only what overflows is lost. Too high a rate ends in a 429 for all that is in flight. So the model uses a
// lower bound, from two headers, the second of a request admitted after the first was answered:
//
//	ρ ≥ (left₂ − left₁ − 1 + certainly counted between) / (from admission of the first to the answer of the second)
//
// A 429 counts as a header of 0, and makes the rate tentative: the probe after the pause measures it anew. Afterwards
// it is measured over spans of 1 s, doubled up to 16 s, and of 20 round trips at least, and raised to what two
// spans in a row show: one alone may show the counter of another front end. Above the documented rate it takes two of the
// longest. What other clients draw lowers what is measured, so the rate rises again when they stop.
//
// Without headers two 429s bound the rate by what was admitted between them, and nothing raises it again. No rate is
// below a hundredth of the documented one.
//
// # Fixed windows
//
// Recovery Services counts per action and hour, in fixed windows whose start it does not report. Within a
// window a counter only falls, so the least header seen is exact but for those in flight, and a header that is
// not below what was left when its request was admitted proves a new window: it began between the last header of
// the old counter and now. From that follow the earliest and the latest time of its end. Requests in flight then
// may belong to either window, so the next request waits for their answers.
//
// Waiting for the latest would waste up to a window, probing again would provoke the 429 that is to be avoided. So
// the last 5 % of a window (k requests) are reserved, and spread evenly over the time in which it may end: the first
// answer with a risen counter narrows that time to a (k+1)-th. Of an hour, 7 requests leave 7.5 minutes, then 56 s,
// then 7 s; from 2 s on nothing is reserved. A 429 reports the end to the second and the limit besides. Over 13 windows
// of unknown start the tests measure 97 to 99 % of what the service would have allowed, and no refusal.
//
// Requests of other clients (a portal, a second machine) show in what a window loses without this client. At the pace
// of this window and the one before, what they will use until its end is left to them, a third of it at most.
//
// Where an accepted answer carries no such header there is no such limit: all 585 recorded answers of the actions
// that have one carry it, and none of the others. Only headers report Compute's limits, so the same model serves
// there.
//
// The recordings also show the counters of several front ends behind one address (300, 401, 400, 364 within 13
// seconds): a header may rise in the middle of a window. That is taken for a new window, so the limiter follows
// the last header seen, and a front end that refuses nevertheless is the reason why a 429 pauses at all. A header that falls
// by more than a third of the limit at once is such a counter, too, and no sign of other clients: what it shows is the size
// of the limit until another header shows more.
//
// # Probing
//
// Before the first answer of a run, after a pause, and when a window has ended, the remaining number is unknown: one
// request is sent alone as a probe, and answers to earlier ones are ignored. That costs a round trip and replaces the
// guess, which for the hourly limit would have to be the smallest ever recorded, 150.
//
// # Pauses
//
// A 429 pauses the bucket it names for all requests, for the time it gives: retry-after-ms, x-ms-retry-after-ms,
// Retry-After in seconds or as a date, or the seconds in its message; without any of these 5 s, doubled each
// time, to 5 minutes. Jitter of up to a tenth, 5 s at most, prevents synchronised retries of several processes. A 429
// that names no bucket pauses all that its request drew from.
//
// # Classes
//
// In a token bucket flows (a class and its buckets) take turns, which is fair because it refills within seconds.
// A window is used up for an hour, so in a run that confirms changes discovery leaves a quarter of each window to
// confirming, and confirming a tenth to discovery, less what they used of it, released evenly until its end.
//
// # Daily limits
//
// Policy writes and protection changes a day (docs/azure.md §13) have no headers. They are counted per vault over
// the last 24 hours of this run, and a refused request is refunded. The documentation does not state
// whether policy writes count per vault or per subscription: per subscription a fleet of 51 vaults could not be
// set up in a day.
//
// # Reading order
//
//	what a request draws from    bucket.go, limiters.go
//	when it is sent              limiter.go, throttling.go, expected.go
//	the model of a limit         model.go, headers.go, token_bucket.go, refill_rate.go, fixed_window.go,
//	                             daily_limit.go
//
// # Rejected
//
// golang.org/x/time/rate: its bucket cannot be set from a header, and does not count requests in flight, on which
// the strictness relies. Reserving in advance (a reservation for 14:03): a cancelled wait would leave a
// hole. A goroutine per limiter: a timer while requests wait does the same, and nothing has to be closed.
package quota
