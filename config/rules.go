package config

// rule is the stable name of one check; it stands in brackets behind every message and is a page of
// `azbackup help rules`.
type rule string

// The rules of reading.
const (
	ruleFile           rule = "file"
	ruleEncoding       rule = "encoding"
	ruleEmpty          rule = "empty"
	ruleSyntax         rule = "syntax"
	ruleTab            rule = "tab"
	ruleNesting        rule = "nesting"
	ruleSecondDocument rule = "second-document"
	ruleAlias          rule = "alias"
	ruleYAMLTag        rule = "yaml-tag"
	ruleDuplicateKey   rule = "duplicate-key"
	ruleVariable       rule = "variable"
)

// The rules of the format, which the JSON Schema knows as well.
const (
	ruleVersion        rule = "version"
	ruleOncePerConfig  rule = "once-per-config"
	ruleUnknownKey     rule = "unknown-key"
	ruleMissingKey     rule = "missing-key"
	ruleWrongType      rule = "wrong-type"
	ruleValue          rule = "value"
	ruleRange          rule = "range"
	ruleTime           rule = "time"
	ruleTimeZone       rule = "time-zone"
	ruleDuration       rule = "duration"
	ruleDuplicateValue rule = "duplicate-value"
	ruleExactlyOne     rule = "exactly-one"
	ruleEmptySelector  rule = "empty-selector"
)

// The rules of meaning.
const (
	ruleCloud               rule = "cloud"
	ruleDuplicateName       rule = "duplicate-name"
	ruleCaseOnly            rule = "case-only"
	ruleUnknownSubscription rule = "unknown-subscription"
	ruleUnknownVault        rule = "unknown-vault"
	ruleAmbiguousVault      rule = "ambiguous-vault"
	ruleUnknownPolicy       rule = "unknown-policy"
	ruleUnmanaged           rule = "unmanaged"
	ruleUnused              rule = "unused"
	ruleNoEffect            rule = "no-effect"
	ruleRedundancy          rule = "redundancy"
	ruleUnmatched           rule = "unmatched"
	rulePolicyName          rule = "policy-name"
	ruleTier                rule = "tier"
	ruleInstantRestore      rule = "instant-restore"
	ruleHourly              rule = "hourly"
	ruleRetention           rule = "retention"
	ruleRetentionForm       rule = "retention-form"
	ruleArchive             rule = "archive"
	ruleRuleForm            rule = "rule-form"
	ruleVMID                rule = "vm-id"
	ruleDuplicateVM         rule = "duplicate-vm"
	ruleNoVault             rule = "no-vault"
	ruleVaultPlace          rule = "vault-place"
	rulePolicyVault         rule = "policy-vault"
	ruleSpread              rule = "spread"
	ruleCovered             rule = "covered"
	ruleAmbiguousExcept     rule = "ambiguous-except"
	ruleTooMany             rule = "too-many"
)
