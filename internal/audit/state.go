package audit

// State is the backup state of a VM. The set is closed; the package documentation lists the evidence for each.
type State string

// The states, in order of precedence: the first that holds is the VM's state (docs/design.md §8).
const (
	Unknown     State = "unknown"
	Unsupported State = "unsupported"
	Excluded    State = "excluded"
	SoftDeleted State = "soft-deleted"
	Stopped     State = "stopped"
	Suspended   State = "suspended"
	Unprotected State = "unprotected"
	Pending     State = "pending"
	Stale       State = "stale"
	Failing     State = "failing"
	OtherVault  State = "other-vault"
	OtherPolicy State = "other-policy"
	Protected   State = "protected"
)

// States returns all states in the order of their precedence.
func States() []State {
	return []State{
		Unknown, Unsupported, Excluded, SoftDeleted, Stopped, Suspended, Unprotected, Pending, Stale, Failing,
		OtherVault, OtherPolicy, Protected,
	}
}

// IsCovered reports whether a VM in this state could be restored to a point as fresh as its policy provides.
func (s State) IsCovered() bool { return s == Protected || s == OtherPolicy || s == OtherVault }

// IsLeftOut reports whether VMs in this state are left out of the coverage percentage.
func (s State) IsLeftOut() bool { return s == Unknown || s == Excluded || s == Unsupported }

// Severity grades a finding. The set is closed.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
	Info     Severity = "info"
)

// Severities returns all severities, worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Info} }

// IsAtLeast reports whether s is as severe as floor or worse. An unknown or empty floor is never reached.
func (s Severity) IsAtLeast(floor Severity) bool {
	return floor.rank() > 0 && s.rank() >= floor.rank()
}

func (s Severity) rank() int {
	switch s {
	case Critical:
		return 5
	case High:
		return 4
	case Medium:
		return 3
	case Low:
		return 2
	case Info:
		return 1
	default:
		return 0
	}
}
