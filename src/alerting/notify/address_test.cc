#include "alerting/notify/address.h"

#include <gtest/gtest.h>

namespace mydr24::notify {
namespace {

TEST(Address, AKindIsReadBackFromItsWord) {
  for (std::size_t i = 0; i < kind_count; ++i) {
    const auto kind = static_cast<Kind>(i);
    EXPECT_EQ(parse_kind(to_string(kind)), kind);
  }
  EXPECT_FALSE(parse_kind("pigeon"));
  EXPECT_FALSE(parse_kind(""));
}

TEST(Address, ATargetFitsItsKind) {
  struct Row {
    Kind kind;
    std::string_view target;
    bool fits;
  };
  const std::string long_local(65, 'a');
  for (const Row& row : {
           Row{Kind::webhook, "https://pager.example.org/in?x=1", true},
           Row{Kind::webhook, "http://127.0.0.1:9/x", true},
           Row{Kind::webhook, "ftp://x", false},
           Row{Kind::webhook, "https://x/ y", false},
           Row{Kind::webhook, "https://x/\r\nHost: y", false},
           Row{Kind::webhook, "", false},
           Row{Kind::console, "", true},
           Row{Kind::console, "https://x", false},
           Row{Kind::email, "nurse.ward-3+night@hospital.example", true},
           Row{Kind::email, "nurse", false},
           Row{Kind::email, "@hospital.example", false},
           Row{Kind::email, "nurse@", false},
           Row{Kind::email, "nurse@-x", false},
           Row{Kind::email, "nurse@a..b", false},
           Row{Kind::email, "a@b@c", false},
           Row{Kind::email, "nurse@x>\r\nRCPT TO:<y@z", false},
           Row{Kind::email, "two words@x.org", false},
           Row{Kind::sms, "+15551234567", true},
           Row{Kind::voice, "+442071838750", true},
           Row{Kind::sms, "15551234567", false},
           Row{Kind::sms, "+05551234567", false},
           Row{Kind::sms, "+1555", true},
           Row{Kind::sms, "+155", false},
           Row{Kind::sms, "+1555123456789012", false},
           Row{Kind::voice, "+1555 123", false},
           Row{Kind::chat, "https://hooks.chat.example/T0/B0/x", true},
           Row{Kind::chat, "C024BE91L", true},
           Row{Kind::chat, "#ward-3", true},
           Row{Kind::chat, "ward 3", false},
           Row{Kind::pagerduty, "0123456789abcdef0123456789abcdef", true},
           Row{Kind::pagerduty, "key with blanks", false},
           Row{Kind::pagerduty, "", false},
       }) {
    const auto checked = check_address({row.kind, std::string(row.target), ""});
    EXPECT_EQ(checked.has_value(), row.fits) << to_string(row.kind) << " " << row.target;
    if (!checked) EXPECT_EQ(checked.error().where, "target");
  }
  EXPECT_FALSE(check_address({Kind::email, long_local + "@x.org", ""}));
  EXPECT_FALSE(check_address({Kind::webhook, "https://x/" + std::string(target_bytes_max, 'a'), ""}));
}

TEST(Address, OnlyAWebhookHasASecret) {
  EXPECT_TRUE(check_address({Kind::webhook, "https://x.example", "s"}));
  EXPECT_EQ(check_address({Kind::email, "a@x.org", "s"}).error().where, "secret");
}

}  // namespace
}  // namespace mydr24::notify
