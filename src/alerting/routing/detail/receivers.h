#pragma once

// The parts of a configuration that are read element by element. Private to alerting/routing.

#include <initializer_list>
#include <string_view>

#include "alerting/routing/config.h"
#include "alerting/routing/detail/yaml.h"

namespace mydr24::routing::detail {

// The settings that are known of each element.
using Keys = std::initializer_list<std::string_view>;
inline constexpr Keys http_keys{"basic_auth", "authorization", "bearer_token", "follow_redirects", "enable_http2"};
inline constexpr Keys global_keys{"resolve_timeout",    "http_config",        "smtp_from",          "smtp_hello",
                                  "smtp_smarthost",     "smtp_auth_username", "smtp_auth_password", "smtp_auth_secret",
                                  "smtp_auth_identity", "smtp_require_tls",   "slack_api_url",      "pagerduty_url",
                                  "opsgenie_api_url",   "opsgenie_api_key",   "wechat_api_url",     "wechat_api_secret",
                                  "wechat_api_corp_id", "victorops_api_url",  "victorops_api_key",  "telegram_api_url",
                                  "webex_api_url"};
inline constexpr Keys webhook_keys{"send_resolved", "url", "http_config", "max_alerts", "timeout"};
inline constexpr Keys pagerduty_keys{"send_resolved", "routing_key", "service_key", "url",     "client",
                                     "client_url",    "description", "severity",    "details", "images",
                                     "links",         "class",       "component",   "group",   "http_config"};
inline constexpr Keys slack_keys{
    "send_resolved", "api_url",   "channel",      "username",  "color",    "title",       "title_link", "pretext",
    "text",          "fields",    "short_fields", "footer",    "fallback", "callback_id", "icon_emoji", "icon_url",
    "image_url",     "thumb_url", "link_names",   "mrkdwn_in", "actions",  "http_config"};
inline constexpr Keys email_keys{
    "send_resolved", "to",      "from", "hello", "smarthost",   "auth_username", "auth_password", "auth_secret",
    "auth_identity", "headers", "html", "text",  "require_tls", "tls_config"};
inline constexpr Keys route_keys{"receiver",
                                 "group_by",
                                 "continue",
                                 "match",
                                 "match_re",
                                 "matchers",
                                 "group_wait",
                                 "group_interval",
                                 "repeat_interval",
                                 "routes",
                                 "mute_time_intervals",
                                 "active_time_intervals"};
inline constexpr Keys inhibit_keys{"source_match", "source_match_re", "source_matchers",
                                   "target_match", "target_match_re", "target_matchers",
                                   "equal"};
inline constexpr Keys root_keys{"global",    "route",          "receivers",          "inhibit_rules",
                                "templates", "time_intervals", "mute_time_intervals"};
inline constexpr Keys oncall_keys{"policy"};

Result<> read_receivers(const Element& root, Config& config);
Result<TimeInterval> read_interval(const Element& element);

// The document as Alertmanager YAML, without secrets and without what only we know.
std::string shown_text(const YAML::Node& document);

}  // namespace mydr24::routing::detail
