// Package quota counts what requests consume of the service's limits: ARM's token buckets, the hourly budgets of Recovery
// Services' actions, and Resource Graph's window (docs/azure.md §10, §12). A [Meter] is not safe for concurrent use; the
// times come with the requests. The daily limits of writes are rules of the service and not counted here.
package quota
