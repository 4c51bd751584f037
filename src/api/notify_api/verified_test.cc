#include "api/notify_api/verified.h"

#include <gtest/gtest.h>

namespace mydr24::notify_api {
namespace {

const notify::Address phone{notify::Kind::sms, "+15551234567", {}};

TEST(WithVerified, MarksTheMethodsThatAreTheAddressAndLeavesTheRestAsItIs) {
  const std::string_view before =
      R"({"backup":"bob","methods":[{"kind":"voice","target":"+15551234567"},)"
      R"({"kind":"sms","verified":false,"target":"+15551234567","disabled":true}],"rules":[{"method":1, "after_s":5}]})";
  EXPECT_EQ(
      with_verified(before, phone),
      R"({"backup":"bob","methods":[{"kind":"voice","target":"+15551234567"},)"
      R"({"kind":"sms","target":"+15551234567","disabled":true,"verified":true}],"rules":[{"method":1, "after_s":5}]})");
}

TEST(WithVerified, ChangesNothingWhereThereIsNothingToChange) {
  for (const std::string_view document :
       {R"({"methods":[{"kind":"sms","target":"+15551234567","verified":true}]})",
        R"({"methods":[{"kind":"sms","target":"+15550000000"}]})", R"({"methods":{}})", R"({})", "[]", "no JSON", ""})
    EXPECT_FALSE(with_verified(document, phone)) << document;
}

}  // namespace
}  // namespace mydr24::notify_api
