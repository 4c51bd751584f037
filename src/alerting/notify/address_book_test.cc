#include "alerting/notify/address_book.h"

#include <gtest/gtest.h>

#include "storage/store/fake_store.h"

namespace mydr24::notify {
namespace {

using namespace std::chrono_literals;

const Address phone{Kind::sms, "+15551234567", {}};

class AddressBookTest : public testing::Test {
 protected:
  template <class T>
  Result<T> write(std::function<Result<T>(store::Transaction&)> work) {
    Result<T> result = fail(Code::internal, "not run");
    const auto done = store.write(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
      result = work(transaction);
      if (!result) return result.error();
      return {};
    });
    return result;
  }
  Result<std::string> begin() {
    return write<std::string>([&](store::Transaction& t) { return book.begin_verification(t, phone); });
  }
  Result<Confirmation> confirm(std::string_view code) {
    return write<Confirmation>([&](store::Transaction& t) { return book.confirm(t, phone, code); });
  }
  int new_code(std::string_view number, const std::vector<std::string>& alerts) {
    return *write<int>([&](store::Transaction& t) { return AddressBook::new_code(t, number, alerts, "nurse"); });
  }
  std::optional<CodeUse> find(std::string_view number, int code) {
    std::optional<CodeUse> use;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(use, AddressBook::find_code(reader, number, code));
      return {};
    }));
    return use;
  }
  std::vector<std::string> events() {
    std::vector<std::string> kinds;
    EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto found, reader.events(0, 100));
      for (const auto& event : found) kinds.push_back(event.kind + " " + event.payload);
      return {};
    }));
    return kinds;
  }

  ManualClock clock{from_us(1'700'000'000'000'000)};
  store::FakeStore store{clock};
  AddressBook book{store, "0123456789abcdef"};
};

TEST_F(AddressBookTest, AnAddressIsVerifiedWhenItsCodeComesBack) {
  EXPECT_FALSE(book.standing(phone)->verified());
  const auto code = begin();
  ASSERT_TRUE(code);
  EXPECT_EQ(code->size(), 6U);
  EXPECT_FALSE(book.standing(phone)->verified());
  EXPECT_TRUE(confirm(*code)->verified);
  EXPECT_TRUE(book.standing(phone)->verified());
  EXPECT_FALSE(book.standing({Kind::voice, phone.target, {}})->verified()) << "another kind is another address";
  EXPECT_EQ(confirm(*code).error().code, Code::gone) << "a code counts once";
  EXPECT_EQ(events(), (std::vector<std::string>{R"(contact.code_sent {"kind":"sms","target":"+15551234567"})",
                                                R"(contact.verified {"kind":"sms","target":"+15551234567"})"}));
}

TEST_F(AddressBookTest, ACodeIsTriedFiveTimesAtMostAndForAQuarterOfAnHour) {
  std::string code = *begin();
  const std::string wrong = code == "000000" ? "000001" : "000000";
  for (int left = 4; left >= 0; --left) {
    const auto tried = confirm(wrong);
    ASSERT_TRUE(tried);
    EXPECT_FALSE(tried->verified);
    EXPECT_EQ(tried->tries_left, left);
  }
  EXPECT_EQ(confirm(code).error().code, Code::gone);
  code = *begin();
  clock.advance(verification_valid);
  EXPECT_EQ(confirm(code).error().code, Code::gone);
  EXPECT_FALSE(book.standing(phone)->verified());
}

TEST_F(AddressBookTest, FiveCodesAnHourAreSent) {
  for (int i = 0; i < verifications_per_hour_max; ++i) EXPECT_TRUE(begin());
  EXPECT_EQ(begin().error().code, Code::busy);
  clock.advance(1h);
  EXPECT_TRUE(begin());
}

TEST_F(AddressBookTest, TheCodeIsNotInTheStore) {
  const std::string code = *begin();
  EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto rows, reader.states("notify_addresses", "", "", 100));
    EXPECT_EQ(rows.size(), 1U);
    for (const auto& row : rows) EXPECT_EQ(row.value.find(code), std::string::npos);
    return {};
  }));
}

TEST_F(AddressBookTest, StopSwitchesOffSmsOnly) {
  const Address voice{Kind::voice, phone.target, {}};
  EXPECT_TRUE(store.write(RequestClass::urgent, [&](auto& t) { return book.set_stopped(t, phone.target, true); }));
  EXPECT_FALSE(book.standing(phone)->may_send());
  EXPECT_NE(book.standing(phone)->why_not(), "");
  EXPECT_TRUE(book.standing(voice)->may_send());
  EXPECT_TRUE(store.write(RequestClass::urgent, [&](auto& t) { return book.set_stopped(t, phone.target, false); }));
  EXPECT_TRUE(book.standing(phone)->may_send());
}

TEST_F(AddressBookTest, CodesOfANumberCountUpAndBeginAgain) {
  EXPECT_FALSE(find("+1", 0));
  EXPECT_EQ(new_code("+1", {"a1"}), 1);
  EXPECT_EQ(new_code("+1", {"a2", "a3"}), 2);
  EXPECT_EQ(new_code("+2", {"b1"}), 1);
  EXPECT_EQ(find("+1", 1)->alerts, (std::vector<std::string>{"a1"}));
  EXPECT_EQ(find("+1", 0)->code, 2);
  EXPECT_EQ(find("+1", 0)->alerts, (std::vector<std::string>{"a2", "a3"}));
  EXPECT_EQ(find("+1", 2)->contact, "nurse");
  EXPECT_FALSE(find("+1", 3));
  for (int i = 3; i <= sms_code_max; ++i) new_code("+1", {"x"});
  EXPECT_EQ(new_code("+1", {"again"}), 1);
  EXPECT_EQ(find("+1", 1)->alerts, (std::vector<std::string>{"again"}));
}

TEST_F(AddressBookTest, ListsWhatIsKnownWithoutSecrets) {
  const Address chat{Kind::chat, "https://hooks.example.org/T0/SECRET", {}};
  EXPECT_TRUE(store.write(RequestClass::urgent, [&](auto& t) { return book.disable(t, chat, "moved"); }));
  EXPECT_TRUE(begin());
  std::vector<KnownAddress> known;
  EXPECT_TRUE(store.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(known, AddressBook::list(reader, "", 10));
    return {};
  }));
  ASSERT_EQ(known.size(), 2U);
  EXPECT_EQ(known[0].address, chat);
  EXPECT_EQ(known[0].standing.disabled_why, "moved");
  EXPECT_EQ(known[1].address, phone);
  EXPECT_EQ(shown_target(chat), "https://hooks.example.org");
  EXPECT_EQ(shown_target({Kind::pagerduty, "R1", {}}), "...");
  EXPECT_EQ(shown_target(phone), "+15551234567");
  for (const std::string& event : events()) EXPECT_EQ(event.find("SECRET"), std::string::npos);
}

}  // namespace
}  // namespace mydr24::notify
