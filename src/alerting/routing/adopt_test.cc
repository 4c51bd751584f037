#include "alerting/routing/adopt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mydr24::routing {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view hospital = R"(
global:
  smtp_smarthost: mail.example.org:587
  smtp_from: alerts@example.org
  smtp_auth_password_file: /etc/mail
  opsgenie_api_key: abc
  http_config:
    follow_redirects: true
    tls_config: {insecure_skip_verify: true}
templates: ['*.tmpl']
route:
  receiver: everybody
  group_by: ['...']
  routes:
    - receiver: pager
      matchers: ['severity="critical"']
      active_time_intervals: [office]
    - receiver: dba
      match_re: {service: "mysql|cassandra"}
receivers:
  - name: everybody
    email_configs: [{to: team@example.org, html: "{{ .CommonLabels }}"}]
    discord_configs: [{webhook_url: "https://discord.example.org"}]
  - name: pager
    pagerduty_configs: [{routing_key_file: /etc/key}]
    opsgenie_configs: [{api_key: x}]
  - name: dba
    webhook_configs:
      - url: http://dba.example.org/hook
        http_config:
          authorization: {type: Bearer, credentials_file: /etc/token}
      - url_file: /etc/url
  - name: "null"
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [alertname]
  - name: new
    sources: [{matchers: [a="b"]}]
    target_matchers: [c="d"]
time_intervals:
  - name: office
    time_intervals: [{weekdays: ['monday:friday'], times: [{start_time: '08:00', end_time: '18:00'}], location: Europe/Paris}]
tracing: {endpoint: localhost:4317}
)";

std::vector<std::string> rows(const std::vector<Left>& left) {
  std::vector<std::string> all;
  for (const Left& each : left) all.push_back(each.where + ": " + each.text);
  return all;
}

TEST(AdoptedConfiguration, WhatHasNoEqualIsLeftOutWithItsPlaceAndTheRestIsLoaded) {
  const auto adopted = adopt_config(hospital);
  ASSERT_TRUE(adopted) << adopted.error().where << ": " << adopted.error().text;
  const auto config = load_config(adopted->yaml);
  ASSERT_TRUE(config) << config.error().where << ": " << config.error().text << "\n" << adopted->yaml;
  EXPECT_THAT(
      rows(adopted->left),
      ElementsAre(HasSubstr("line 44: tracing: there is no such setting here"),
                  HasSubstr("line 5: global.smtp_auth_password_file: there is no such setting"),
                  HasSubstr("global.http_config.tls_config: there is no such setting"),
                  HasSubstr("receivers[0].email_configs[0]: without effect here: html"),
                  HasSubstr("receivers[0].discord_configs: there is no such way to notify"),
                  HasSubstr("receivers[1].pagerduty_configs[0].routing_key_file"),
                  HasSubstr("receivers[1].pagerduty_configs[0]: missing routing_key"),
                  HasSubstr("receivers[1].opsgenie_configs: there is no such way"),
                  HasSubstr("receivers[1]: nothing of it can be kept"), HasSubstr("authorization.credentials_file"),
                  HasSubstr("webhook_configs[1].url_file"), HasSubstr("webhook_configs[1]: missing URL"),
                  HasSubstr("sources: there is no such setting"), HasSubstr("templates: it has no effect")));
}

TEST(AdoptedConfiguration, AReceiverOfWhichNothingIsLeftCallsPeople) {
  const auto config = *load_config(adopt_config(hospital)->yaml);
  const Receiver* pager = config->receiver("pager");
  ASSERT_NE(pager, nullptr);
  ASSERT_EQ(pager->integrations.size(), 1U);
  EXPECT_EQ(pager->integrations[0].service, Service::oncall);
  EXPECT_EQ(config->receiver("everybody")->integrations.size(), 1U);
  EXPECT_THAT(config->receiver("null")->integrations, IsEmpty());  // it told nobody before, either
  EXPECT_EQ(config->inhibit_rules.size(), 1U);
  EXPECT_EQ(match(config->root, Labels({{"severity", "critical"}})).front()->receiver, "pager");
  EXPECT_EQ(match(config->root, Labels({{"service", "mysql"}})).front()->receiver, "dba");
}

TEST(AdoptedConfiguration, AdoptedAgainItStaysTheSame) {
  const auto once = adopt_config(hospital);
  const auto twice = adopt_config(once->yaml);
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->yaml, once->yaml);
}

TEST(AdoptedConfiguration, WhatNoAlertmanagerWouldTakeIsRefused) {
  struct Row {
    std::string_view yaml, where;
  };
  constexpr Row rows[] = {
      {"route: {receiver: nobody}\nreceivers: [{name: somebody}]\n", "route.receiver"},
      {"receivers: [{name: somebody}]\n", "the configuration"},
      {"route: [\n", "line 2"},
      {"- 1\n", ""},
      {"route: {receiver: a, routes: {}}\nreceivers: [{name: a}]\n", "line 1: route.routes"},
  };
  for (const Row& row : rows) {
    const auto adopted = adopt_config(row.yaml);
    ASSERT_FALSE(adopted) << row.yaml;
    EXPECT_EQ(adopted.error().code, Code::invalid);
    EXPECT_EQ(adopted.error().where, row.where) << adopted.error().text;
  }
}

}  // namespace
}  // namespace mydr24::routing
