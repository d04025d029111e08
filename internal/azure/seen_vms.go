package azure

import "github.com/azbackup/azbackup/internal/armid"

// seenVM is a VM that a list or an item names.
type seenVM struct {
	id          string // as the list spells it, else as the first item does
	isListed    bool
	isRead      bool
	isUnread    bool // only its id is reliable
	isProtected bool // it has an item that is not soft-deleted
}

// seenVMs are VMs by id.
type seenVMs struct {
	numbers *armid.Table
	all     []seenVM
}

func newSeenVMs() *seenVMs { return &seenVMs{numbers: armid.NewTable(0)} }

// get returns what is known about the VM with an id.
func (s *seenVMs) get(id string) seenVM {
	i := s.numbers.Find(id)
	if i < 0 {
		return seenVM{}
	}
	return s.all[i]
}

// entry returns the entry of the VM with an id, which it adds if necessary. It may be written until the next call.
func (s *seenVMs) entry(id string) *seenVM {
	i, isNew := s.numbers.Add(id)
	if isNew {
		s.all = append(s.all, seenVM{id: id})
	}
	return &s.all[i]
}
