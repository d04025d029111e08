package plan

// Reason is why a change stands in a plan. Reasons are for people and for filters; nothing decides by them.
type Reason string
