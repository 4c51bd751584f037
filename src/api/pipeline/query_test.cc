#include "api/pipeline/query.h"

#include <gtest/gtest.h>

namespace mydr24::pipeline {
namespace {

TEST(Query, AQueryIsReadStrictly) {
  const auto query = Query::parse("at=2026-05-10T08:00:00Z&days=90", {"at", "days"});
  ASSERT_TRUE(query);
  EXPECT_EQ(query->instant("at", {}).value(), from_us(1'778'400'000'000'000));
  EXPECT_EQ(query->number("days", 1, 1, 400).value(), 90);
  EXPECT_EQ(query->number("other", 7, 1, 400).value(), 7);
  EXPECT_EQ(query->number("days", 1, 1, 30).error().where, "days");
  EXPECT_EQ(query->instant("days", {}).error().where, "days");
  EXPECT_EQ(Query::parse("colour=red", {"at"}).error().where, "colour");
  EXPECT_FALSE(Query::parse("at=%zz", {"at"}));
}

}  // namespace
}  // namespace mydr24::pipeline
