// Made by scripts/api.mjs from the server's OpenAPI document. The value is the names in the path.

export interface Routes {
  "DELETE /api/v1/access/users/{id}/second-factor": "id";
  "DELETE /api/v1/alert-overrides/{id}": "id";
  "DELETE /api/v1/alerts/{id}/subscribers/{name}": "id" | "name";
  "DELETE /api/v1/audit/holds/{patient}": "patient";
  "DELETE /api/v1/change-freezes/{id}": "id";
  "DELETE /api/v1/incident-corrections/{id}": "id";
  "DELETE /api/v1/monitor/slos/{name}": "name";
  "DELETE /api/v1/oncall/parts/{kind}/{name}": "kind" | "name";
  "DELETE /api/v1/sessions/{id}": "id";
  "DELETE /api/v1/silences/proposals/{id}": "id";
  "DELETE /api/v1/vitals/{patient}/limits/{signal}": "patient" | "signal";
  "DELETE /api/v1/vitals/{patient}/monitoring": "patient";
  "DELETE /api/v2/silence/{id}": "id";
  "GET /api/v1/access/explain": never;
  "GET /api/v1/access/me": never;
  "GET /api/v1/access/policy": never;
  "GET /api/v1/access/tenant": never;
  "GET /api/v1/access/users": never;
  "GET /api/v1/addresses": never;
  "GET /api/v1/alert-overrides": never;
  "GET /api/v1/alerts": never;
  "GET /api/v1/alerts/actionability": never;
  "GET /api/v1/alerts/{id}": "id";
  "GET /api/v1/alerts/{id}/subscribers": "id";
  "GET /api/v1/audit/disclosures": never;
  "GET /api/v1/audit/holds": never;
  "GET /api/v1/audit/status": never;
  "GET /api/v1/breaches": never;
  "GET /api/v1/breaches/{id}": "id";
  "GET /api/v1/breaches/{id}/people": "id";
  "GET /api/v1/break-glass": never;
  "GET /api/v1/change-calendar": never;
  "GET /api/v1/change-figures": never;
  "GET /api/v1/change-policy": never;
  "GET /api/v1/changes": never;
  "GET /api/v1/changes/{id}": "id";
  "GET /api/v1/compliance/processing-record": never;
  "GET /api/v1/config": never;
  "GET /api/v1/events": never;
  "GET /api/v1/incident-corrections": never;
  "GET /api/v1/incident-setup": never;
  "GET /api/v1/incident-setup/versions": never;
  "GET /api/v1/incident-setup/versions/{version}": "version";
  "GET /api/v1/incidents": never;
  "GET /api/v1/incidents/{id}": "id";
  "GET /api/v1/incidents/{id}/patients": "id";
  "GET /api/v1/incidents/{id}/timeline": "id";
  "GET /api/v1/incidents/{id}/verify": "id";
  "GET /api/v1/label/{name}/values": "name";
  "GET /api/v1/labels": never;
  "GET /api/v1/metadata": never;
  "GET /api/v1/monitor": never;
  "GET /api/v1/monitor/changes": never;
  "GET /api/v1/monitor/channels": never;
  "GET /api/v1/monitor/openslo": never;
  "GET /api/v1/monitor/prometheus-rules": never;
  "GET /api/v1/monitor/rules": never;
  "GET /api/v1/monitor/slos": never;
  "GET /api/v1/monitor/slos/{name}": "name";
  "GET /api/v1/oncall/calendars/{secret}": "secret";
  "GET /api/v1/oncall/coverage": never;
  "GET /api/v1/oncall/parts/{kind}": "kind";
  "GET /api/v1/oncall/parts/{kind}/{name}": "kind" | "name";
  "GET /api/v1/oncall/plan": never;
  "GET /api/v1/oncall/shifts": never;
  "GET /api/v1/oncall/who": never;
  "GET /api/v1/openapi.json": never;
  "GET /api/v1/query": never;
  "GET /api/v1/query_range": never;
  "GET /api/v1/rights/erasures": never;
  "GET /api/v1/series": never;
  "GET /api/v1/sessions": never;
  "GET /api/v1/settings": never;
  "GET /api/v1/settings/{name}": "name";
  "GET /api/v1/silences/proposals": never;
  "GET /api/v1/status": never;
  "GET /api/v1/status/buildinfo": never;
  "GET /api/v1/vitals": never;
  "GET /api/v1/vitals/outcomes/{alert}": "alert";
  "GET /api/v1/vitals/rules": never;
  "GET /api/v1/vitals/rules/{version}": "version";
  "GET /api/v1/vitals/{patient}": "patient";
  "GET /api/v1/vitals/{patient}/scores": "patient";
  "GET /api/v2/alerts": never;
  "GET /api/v2/alerts/groups": never;
  "GET /api/v2/receivers": never;
  "GET /api/v2/silence/{id}": "id";
  "GET /api/v2/silences": never;
  "GET /api/v2/status": never;
  "POST /api/v1/access/users": never;
  "POST /api/v1/access/users/{id}/disable": "id";
  "POST /api/v1/access/users/{id}/enable": "id";
  "POST /api/v1/access/users/{id}/invitation": "id";
  "POST /api/v1/addresses/confirm": never;
  "POST /api/v1/addresses/disable": never;
  "POST /api/v1/addresses/enable": never;
  "POST /api/v1/addresses/verify": never;
  "POST /api/v1/alert-overrides": never;
  "POST /api/v1/alert-overrides/{id}/confirm": "id";
  "POST /api/v1/alerts/{id}/ack": "id";
  "POST /api/v1/alerts/{id}/escalate": "id";
  "POST /api/v1/alerts/{id}/policy": "id";
  "POST /api/v1/alerts/{id}/resolve": "id";
  "POST /api/v1/alerts/{id}/subscribers": "id";
  "POST /api/v1/audit/holds": never;
  "POST /api/v1/audit/verify": never;
  "POST /api/v1/breaches": never;
  "POST /api/v1/breaches/{id}/close": "id";
  "POST /api/v1/breaches/{id}/told": "id";
  "POST /api/v1/break-glass": never;
  "POST /api/v1/break-glass/{id}/end": "id";
  "POST /api/v1/break-glass/{id}/review": "id";
  "POST /api/v1/change-freezes": never;
  "POST /api/v1/change-services/{service}/unfreeze": "service";
  "POST /api/v1/changes": never;
  "POST /api/v1/changes/{id}/abort": "id";
  "POST /api/v1/changes/{id}/approve": "id";
  "POST /api/v1/changes/{id}/rehearsal": "id";
  "POST /api/v1/changes/{id}/reject": "id";
  "POST /api/v1/changes/{id}/resume": "id";
  "POST /api/v1/changes/{id}/review": "id";
  "POST /api/v1/changes/{id}/rollback": "id";
  "POST /api/v1/changes/{id}/schedule": "id";
  "POST /api/v1/changes/{id}/start": "id";
  "POST /api/v1/changes/{id}/withdraw": "id";
  "POST /api/v1/events/alertmanager": never;
  "POST /api/v1/events/generic": never;
  "POST /api/v1/incident-classify": never;
  "POST /api/v1/incident-setup": never;
  "POST /api/v1/incident-setup/versions/{version}/activate": "version";
  "POST /api/v1/incident-setup/versions/{version}/dry-run": "version";
  "POST /api/v1/incidents": never;
  "POST /api/v1/incidents/{id}/ack": "id";
  "POST /api/v1/incidents/{id}/close": "id";
  "POST /api/v1/incidents/{id}/links": "id";
  "POST /api/v1/incidents/{id}/merge": "id";
  "POST /api/v1/incidents/{id}/mitigate": "id";
  "POST /api/v1/incidents/{id}/notes": "id";
  "POST /api/v1/incidents/{id}/pause": "id";
  "POST /api/v1/incidents/{id}/publish": "id";
  "POST /api/v1/incidents/{id}/resolve": "id";
  "POST /api/v1/incidents/{id}/resume": "id";
  "POST /api/v1/incidents/{id}/review": "id";
  "POST /api/v1/incidents/{id}/review/actions": "id";
  "POST /api/v1/incidents/{id}/review/actions/{place}": "id" | "place";
  "POST /api/v1/incidents/{id}/review/close": "id";
  "POST /api/v1/incidents/{id}/roles": "id";
  "POST /api/v1/incidents/{id}/severity": "id";
  "POST /api/v1/incidents/{id}/tasks": "id";
  "POST /api/v1/incidents/{id}/tasks/{place}/done": "id" | "place";
  "POST /api/v1/labels": never;
  "POST /api/v1/launch": never;
  "POST /api/v1/monitor/openslo": never;
  "POST /api/v1/monitor/probe": never;
  "POST /api/v1/monitor/rules/preview": never;
  "POST /api/v1/oncall/heartbeats/{name}": "name";
  "POST /api/v1/oncall/swap": never;
  "POST /api/v1/oncall/test-page": never;
  "POST /api/v1/query": never;
  "POST /api/v1/query_range": never;
  "POST /api/v1/rights/erasure": never;
  "POST /api/v1/rights/export": never;
  "POST /api/v1/series": never;
  "POST /api/v1/silences/preview": never;
  "POST /api/v1/silences/proposals": never;
  "POST /api/v1/silences/proposals/{id}/approve": "id";
  "POST /api/v1/silences/proposals/{id}/decline": "id";
  "POST /api/v1/vitals/crowding/{scale}": "scale";
  "POST /api/v1/vitals/dry-run": never;
  "POST /api/v1/vitals/outcomes/{alert}": "alert";
  "POST /api/v1/vitals/rules": never;
  "POST /api/v1/vitals/rules/validate": never;
  "POST /api/v1/vitals/rules/{version}/activate": "version";
  "POST /api/v1/vitals/stream": never;
  "POST /api/v1/write": never;
  "POST /api/v2/alerts": never;
  "POST /api/v2/silences": never;
  "PUT /api/v1/access/users/{id}": "id";
  "PUT /api/v1/changes/{id}": "id";
  "PUT /api/v1/monitor/rules": never;
  "PUT /api/v1/oncall/parts/{kind}/{name}": "kind" | "name";
  "PUT /api/v1/oncall/plan": never;
  "PUT /api/v1/vitals/{patient}/limits/{signal}": "patient" | "signal";
  "PUT /api/v1/vitals/{patient}/monitoring": "patient";
}

export type Route = keyof Routes;

// What a role may or may not: one name for each route, or for several that belong together.
export type Operation =
  | "access-explain"
  | "access-policy"
  | "access-tenant"
  | "access-users"
  | "account-add"
  | "account-change"
  | "account-disable"
  | "account-enable"
  | "account-invite"
  | "account-second-factor"
  | "actionability"
  | "address-confirm"
  | "address-disable"
  | "address-enable"
  | "address-verify"
  | "addresses"
  | "alert"
  | "alert-ack"
  | "alert-escalate"
  | "alert-move"
  | "alert-override-confirm"
  | "alert-override-end"
  | "alert-override-request"
  | "alert-overrides"
  | "alert-resolve"
  | "alert-subscribe"
  | "alert-subscribers"
  | "alert-unsubscribe"
  | "alerts"
  | "am-alerts"
  | "am-expire-silence"
  | "am-groups"
  | "am-post-alerts"
  | "am-post-silence"
  | "am-receivers"
  | "am-silence"
  | "am-silences"
  | "am-status"
  | "audit-disclosures"
  | "audit-hold-lift"
  | "audit-hold-place"
  | "audit-holds"
  | "audit-status"
  | "audit-verify"
  | "breach-close"
  | "breach-list"
  | "breach-open"
  | "breach-people"
  | "breach-read"
  | "breach-told"
  | "break-glass"
  | "break-glass-end"
  | "break-glass-list"
  | "break-glass-review"
  | "change-abort"
  | "change-approve"
  | "change-calendar"
  | "change-edit"
  | "change-figures"
  | "change-freeze-add"
  | "change-freeze-end"
  | "change-list"
  | "change-policy"
  | "change-propose"
  | "change-rehearsal"
  | "change-reject"
  | "change-resume"
  | "change-review"
  | "change-rollback"
  | "change-schedule"
  | "change-show"
  | "change-start"
  | "change-unfreeze"
  | "change-withdraw"
  | "events"
  | "generic-event"
  | "incident"
  | "incident-classify"
  | "incident-correction-forget"
  | "incident-corrections"
  | "incident-open"
  | "incident-patients"
  | "incident-setup"
  | "incident-setup-activate"
  | "incident-setup-add"
  | "incident-setup-dry-run"
  | "incident-setup-version"
  | "incident-setup-versions"
  | "incident-work-ack"
  | "incident-work-close"
  | "incident-work-link"
  | "incident-work-merge"
  | "incident-work-mitigate"
  | "incident-work-note"
  | "incident-work-pause"
  | "incident-work-publish"
  | "incident-work-resolve"
  | "incident-work-resume"
  | "incident-work-review"
  | "incident-work-review-action"
  | "incident-work-review-action-edit"
  | "incident-work-review-close"
  | "incident-work-role"
  | "incident-work-severity"
  | "incident-work-task"
  | "incident-work-task-done"
  | "incident-work-timeline"
  | "incident-work-verify"
  | "incidents"
  | "monitor-changes"
  | "monitor-channels"
  | "monitor-openslo"
  | "monitor-openslo-import"
  | "monitor-prometheus-rules"
  | "monitor-rules"
  | "monitor-rules-change"
  | "monitor-rules-preview"
  | "monitor-slo"
  | "monitor-slo-delete"
  | "monitor-slos"
  | "monitor-status"
  | "oncall-coverage"
  | "oncall-heartbeat"
  | "oncall-part"
  | "oncall-part-delete"
  | "oncall-part-put"
  | "oncall-parts"
  | "oncall-plan"
  | "oncall-plan-change"
  | "oncall-shifts"
  | "oncall-swap"
  | "oncall-test-page"
  | "oncall-who"
  | "processing-record"
  | "remote-write"
  | "rights-erasure"
  | "rights-erasures"
  | "rights-export"
  | "series-buildinfo"
  | "series-label-values"
  | "series-labels"
  | "series-list"
  | "series-metadata"
  | "series-query"
  | "series-query-range"
  | "session-end"
  | "session-launch"
  | "session-list"
  | "session-me"
  | "setting-list"
  | "setting-show"
  | "silence-approve"
  | "silence-decline"
  | "silence-preview"
  | "silence-proposals"
  | "silence-propose"
  | "silence-withdraw"
  | "status"
  | "vitals-board"
  | "vitals-crowding"
  | "vitals-dry-run"
  | "vitals-limit"
  | "vitals-limit-remove"
  | "vitals-monitor"
  | "vitals-monitor-stop"
  | "vitals-outcome"
  | "vitals-outcome-say"
  | "vitals-patient"
  | "vitals-rules"
  | "vitals-rules-activate"
  | "vitals-rules-add"
  | "vitals-rules-validate"
  | "vitals-rules-version"
  | "vitals-scores"
  | "vitals-stream"
  | "webhook-event";
