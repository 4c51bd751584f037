#include "app/server/processing_record.h"

#include <gtest/gtest.h>

#include "base/json/document.h"

namespace mydr24::server {
namespace {

std::string record(const Settings& settings, std::span<const identity::Client> clients = {}) {
  auto text = processing_record(settings, *access::default_policy(), clients, Instant());
  EXPECT_TRUE(json::Document::parse_view(text)) << text;
  return text;
}

TEST(ProcessingRecord, HasWhatArticle30AsksFor) {
  const auto text = record({});
  for (const auto* member : {"controller", "officer", "purposes", "subjects", "categories", "recipients", "transfers",
                             "retention", "measures"})
    EXPECT_TRUE(text.contains(std::string("\"") + member + "\":")) << member << text;
  EXPECT_TRUE(text.contains(R"("controller":null)")) << "what nobody said is told as missing";
  EXPECT_TRUE(text.contains(R"("purpose":"TREAT")"));
}

TEST(ProcessingRecord, ChangesWithTheConfiguration) {
  Settings settings;
  settings.access.mode = "off";
  const auto before = record(settings);
  settings.rights.controller = "St. Anna, Vienna";
  settings.rights.transfers = "to the US, by standard contractual clauses";
  settings.rights.retention_years = 30;
  settings.audit.retention_days = 3650;
  settings.notify.smtp_host = "mail.example";
  settings.access.mode = "on";
  settings.server.tls_certificate_file = "cert.pem";
  const auto after = record(settings);
  for (const auto* text : {"St. Anna, Vienna", "standard contractual clauses", "30 years", "3650 days", "mail.example",
                           "access control by role", "TLS 1.2"}) {
    EXPECT_FALSE(before.contains(text)) << text;
    EXPECT_TRUE(after.contains(text)) << text << after;
  }
}

TEST(ProcessingRecord, NamesEveryApplicationThatMayGetData) {
  identity::Client client;
  client.id = "portal";
  client.name = "Patient portal";
  client.scopes = "patient/*.rs";
  const auto text = record({}, std::span(&client, 1));
  EXPECT_TRUE(text.contains(R"("name":"Patient portal","gets":"patient/*.rs")")) << text;
}

}  // namespace
}  // namespace mydr24::server
