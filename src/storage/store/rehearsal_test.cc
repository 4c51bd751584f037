#include "storage/store/rehearsal.h"

#include <gtest/gtest.h>

#include "storage/store/fake_store.h"

namespace mydr24::store {
namespace {

using Keys = std::vector<std::string>;

Keys keys(const Result<std::vector<StateRow>>& rows) {
  Keys all;
  for (const StateRow& row : *rows) all.push_back(row.key);
  return all;
}

TEST(Rehearsal, AWorkSeesWhatItDidAndTheStoreSeesNothingOfIt) {
  ManualClock clock(from_us(1'700'000'000'000'000));
  FakeStore store(clock);
  ASSERT_TRUE(store.write(RequestClass::routine, [](Transaction& transaction) -> Result<> {
    for (const char* key : {"a/1", "a/2", "a/4", "b/1"}) MYDR24_TRY(transaction.set_state("s", key, "old"));
    MYDR24_TRY(transaction.note("test.before", "{}"));
    return {};
  }));
  ASSERT_TRUE(store.read([&](Reader& reader) -> Result<> {
    Rehearsal rehearsal(reader, clock.now());
    EXPECT_TRUE(rehearsal.set_state("s", "a/3", "new"));
    EXPECT_TRUE(rehearsal.set_state("s", "a/2", "new"));
    EXPECT_TRUE(rehearsal.erase_state("s", "a/1"));
    EXPECT_EQ(keys(rehearsal.states("s", "a/", "", 10)), (Keys{"a/2", "a/3", "a/4"}));
    EXPECT_EQ(keys(rehearsal.states("s", "a/", "", 2)), (Keys{"a/2", "a/3"}));
    EXPECT_EQ(keys(rehearsal.states("s", "a/", "a/2", 10)), (Keys{"a/3", "a/4"}));
    EXPECT_EQ(*rehearsal.state("s", "a/1"), std::nullopt);
    EXPECT_EQ(*rehearsal.state("s", "a/2"), "new");
    EXPECT_EQ(*rehearsal.state("s", "a/4"), "old");
    const Sequence before = *rehearsal.last_sequence();
    EXPECT_EQ(*rehearsal.note("test.noted", "1"), before + 1);
    EXPECT_EQ(rehearsal.put({.type = "Patient", .id = "p"})->version, 1);
    EXPECT_EQ(*rehearsal.last_sequence(), before + 2);
    EXPECT_EQ(rehearsal.noted().size(), 1U);
    EXPECT_EQ(rehearsal.noted()[0].kind, "test.noted");
    return {};
  }));
  ASSERT_TRUE(store.read([&](Reader& reader) -> Result<> {
    EXPECT_EQ(*reader.state("s", "a/1"), "old");
    EXPECT_EQ(*reader.state("s", "a/3"), std::nullopt);
    EXPECT_FALSE(reader.current("Patient", "p")->has_value());
    return {};
  }));
  EXPECT_TRUE(store.events_of("test.noted").empty());
}

}  // namespace
}  // namespace mydr24::store
