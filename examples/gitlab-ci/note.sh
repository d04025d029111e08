#!/usr/bin/env bash
# Puts plan.md into the merge request's note: the one that is there is written over, so that there is one. The variable
# AZBACKUP_TOKEN is a project access token with the scope api.
set -euo pipefail
notes=$CI_API_V4_URL/projects/$CI_PROJECT_ID/merge_requests/${CI_MERGE_REQUEST_IID:?}/notes
call() { curl -fsS --header "PRIVATE-TOKEN: ${AZBACKUP_TOKEN:?}" "$@"; }
mine=$(call "$notes?per_page=100" | jq -r '[.[] | select(.body | startswith("<!-- azbackup:fingerprint "))][0].id // empty')
if [ -n "$mine" ]; then
	call --request PUT --data-urlencode "body@plan.md" "$notes/$mine" >/dev/null
else
	call --request POST --data-urlencode "body@plan.md" "$notes" >/dev/null
fi
