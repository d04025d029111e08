// Package ids reads Azure resource ids and the names made from them. Ids are compared by [Key], in lower case, and passed on
// in the spelling in which they came (docs/azure.md §0.4).
package ids
