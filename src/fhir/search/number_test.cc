#include "fhir/search/number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string_view>

namespace mydr24::search {
namespace {

TEST(Number, TheWrittenPrecisionImpliesARange) {
  struct Row {
    std::string_view text;
    double from, to;
  };
  for (const auto& [text, from, to] :
       {Row{"100", 99.5, 100.5}, Row{"100.00", 99.995, 100.005}, Row{"1e2", 95, 105}, Row{"1.00e2", 99.5, 100.5},
        Row{"-5", -5.5, -4.5}, Row{"+5", 4.5, 5.5}, Row{"0", -0.5, 0.5}, Row{"0.05", 0.045, 0.055},
        Row{"1.5E-3", 0.00145, 0.00155}}) {
    const auto range = implied(text);
    ASSERT_TRUE(range) << text;
    EXPECT_NEAR(range->from, from, std::abs(from) * 1e-12) << text;
    EXPECT_NEAR(range->to, to, std::abs(to) * 1e-12) << text;
  }
  for (const auto* text : {"", "x", "1x", " 1", "1e", "1e999", "nan", "inf", "0x10", "--1", "1,5", "."}) {
    EXPECT_FALSE(implied(text)) << text;
  }
}

TEST(Number, ExactlyOneNumberIsARangeThatHoldsNoOther) {
  for (const double value : {0.0, 1.0, -1.0, 1e300, 0.1}) {
    const auto range = exactly(value);
    EXPECT_EQ(range.from, value);
    EXPECT_GT(range.to, value);
    EXPECT_EQ(std::nextafter(range.to, -std::numeric_limits<double>::infinity()), value);
  }
}

TEST(Number, AMeasureIsInCanonicalUnitsWhereTheUnitIsKnown) {
  const auto measure = measure_of({1, 2}, false, "http://unitsofmeasure.org", "kg");
  EXPECT_EQ(measure.unit, "ucum|g");
  EXPECT_DOUBLE_EQ(measure.range.from, 1000);
  EXPECT_DOUBLE_EQ(measure.range.to, 2000);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto open = measure_of({1, infinity}, false, "http://unitsofmeasure.org", "kg");
  EXPECT_EQ(open.range.to, infinity);
  EXPECT_EQ(measure_of({-infinity, 1}, false, "http://unitsofmeasure.org", "kg").range.from, -infinity);
  EXPECT_EQ(measure_of({1, 2}, false, "urn:u", "drop").unit, "urn:u|drop");
  EXPECT_EQ(measure_of({1, 2}, false, "http://unitsofmeasure.org", "nonsense").range.to, 2);
}

}  // namespace
}  // namespace mydr24::search
