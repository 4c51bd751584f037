#pragma once

// For tests of the importers: what is on duty by the parts that came out.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/imports/imports.h"
#include "base/core/date_time.h"
#include "base/json/document.h"
#include "base/json/writer.h"

namespace mydr24::imports {

inline Instant at(std::string_view text) { return parse_date_time(text).value().low; }

inline void replace(std::string& text, std::string_view what, std::string_view by) {
  const auto found = text.find(what);
  ASSERT_NE(found, text.npos) << what;
  text.replace(found, what.size(), by);
}

inline testing::AssertionResult makes_a_plan(const oncall::Documents& parts) {
  const auto plan = oncall::Plan::make(parts);
  return plan ? testing::AssertionSuccess()
              : testing::AssertionFailure() << plan.error().where << ": " << plan.error().text;
}

// "Ann 2026-03-02T14:00 2026-03-09T13:00"
inline std::vector<std::string> duty(const oncall::Documents& parts, const std::string& schedule, std::string_view from,
                                     std::string_view to) {
  const auto plan = oncall::Plan::make(parts);
  std::vector<std::string> rows;
  if (!plan || !plan->schedules().contains(schedule)) return {"no plan, or no such schedule"};
  for (const oncall::Shift& shift : oncall::shifts(plan->schedules().at(schedule), plan->leaves(), {at(from), at(to)}))
    rows.push_back(fmt::format("{} {} {}", shift.who, format_instant(shift.period.begin).substr(0, 16),
                               format_instant(shift.period.end).substr(0, 16)));
  return rows;
}

inline std::vector<std::string> places(const std::vector<Left>& left) {
  std::vector<std::string> rows;
  for (const Left& each : left) rows.push_back(each.where);
  return rows;
}
inline std::vector<std::string> texts(const std::vector<Left>& left) {
  std::vector<std::string> rows;
  for (const Left& each : left) rows.push_back(each.text);
  return rows;
}

// The document with its n-th value as `other`; nothing when there are fewer.
class Replaced {
 public:
  static std::optional<std::string> nth(json::Value root, std::size_t n, std::string_view other) {
    Replaced made(n, other);
    made.write(root);
    return made.found_ ? std::optional(std::move(made.text_)) : std::nullopt;
  }

 private:
  Replaced(std::size_t n, std::string_view other) : left_(n), other_(other) {}
  void write(json::Value value) {
    if (left_-- == 0) {
      found_ = true;
      out_.raw(other_);
    } else if (value.is_object()) {
      out_.begin_object();
      for (const json::Value member : value) {
        out_.key(member.key());
        write(member);
      }
      out_.end_object();
    } else if (value.is_array()) {
      out_.begin_array();
      for (const json::Value item : value) write(item);
      out_.end_array();
    } else {
      out_.raw(value.raw());
    }
  }
  std::size_t left_;
  std::string_view other_;
  bool found_ = false;
  std::string text_;
  json::Writer out_{text_};
};

// With whatever value of it taken away, or another in its place, an export is refused or makes a plan.
template <class Import>
void expect_plans_of_damaged(std::string_view text, Import import) {
  const auto document = json::Document::parse_view(text);
  ASSERT_TRUE(document);
  for (const std::string_view other : {"null", "[]", "{}", "-7", "99999999", R"("")", R"("x/y")"})
    for (std::size_t n = 1;; ++n) {
      const auto damaged = Replaced::nth(document->root(), n, other);
      if (!damaged) break;
      const Result<Imported> made = import(*damaged);
      if (!made)
        EXPECT_EQ(made.error().code, Code::invalid) << made.error().text;
      else
        EXPECT_TRUE(made->parts.empty() || makes_a_plan(made->parts)) << "value " << n << " as " << other;
    }
}

}  // namespace mydr24::imports
