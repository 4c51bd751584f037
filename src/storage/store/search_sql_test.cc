#include "storage/store/search_sql.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "storage/store/search_cursor.h"
#include "storage/store/sort_key.h"

namespace mydr24::store {
namespace {

class SearchText : public testing::Test {
 protected:
  static search::Condition where(std::string_view type, std::string_view code, search::Term term,
                                 search::Modifier modifier = search::Modifier::none) {
    return {.parameter = search::find_parameter(type, code), .modifier = modifier, .any_of = {std::move(term)}};
  }
  SearchSql compile(const search::Query& query, Dialect dialect = sqlite_dialect) {
    numbers_.resize(search::parameters().size(), 7);
    context_ = {.dialect = dialect,
                .parameters = numbers_,
                .contained_parameters = numbers_,
                .type = [](std::string_view) { return Result<std::int64_t>(3); },
                .sequence_at = [](Instant at) { return Result<std::int64_t>(to_us(at)); },
                .count = [this](const SqlStatement& statement) -> Result<std::int64_t> {
                  counted_.push_back(statement);
                  return 1'000'000;
                },
                .now = {}};
    auto sql = SearchSql::compile(query, context_);
    EXPECT_TRUE(sql);
    return std::move(*sql);
  }

  std::vector<SqlStatement> counted_;
  SearchContext context_;
  std::vector<std::int64_t> numbers_;
};

TEST_F(SearchText, NothingFromOutsideIsPartOfTheText) {
  const std::string evil = "x'; DROP TABLE record; --";
  search::Query query{
      .type = "Patient",
      .conditions = {
          where("Patient", "family", {.value = evil}),
          where("Patient", "family", {.value = evil}, search::Modifier::contains),
          where("Patient", "identifier", {.value = evil, .system = evil, .system_is = search::Term::System::named}),
          where("Patient", "_id", {.value = evil}),
      }};
  auto sql = compile(query);
  const auto lead = *sql.best_lead(50'000);
  ASSERT_TRUE(lead);
  ASSERT_TRUE(sql.choose_probes(nullptr));
  EXPECT_EQ(counted_.size(), query.conditions.size());
  counted_.push_back(sql.page(&*lead, 5, 1, 10));
  counted_.push_back(sql.page(nullptr, 5, 1, 10));
  counted_.push_back(sql.all(&*lead, 10));
  counted_.push_back(sql.total(&*lead, 10));
  for (const auto& statement : counted_) EXPECT_FALSE(statement.text.contains("DROP")) << statement.text;
}

TEST_F(SearchText, EachDialectNumbersItsValuesInItsWay) {
  const search::Query query{.type = "Patient", .conditions = {where("Patient", "gender", {.value = "male"})}};
  const auto sqlite = compile(query).page(nullptr, std::nullopt, std::nullopt, 10);
  EXPECT_TRUE(sqlite.text.contains(fmt::format("LIMIT ?{}", sqlite.values.size()))) << sqlite.text;
  const auto postgres = compile(query, postgres_dialect).page(nullptr, std::nullopt, std::nullopt, 10);
  EXPECT_TRUE(postgres.text.contains(fmt::format("${}", postgres.values.size()))) << postgres.text;
  EXPECT_TRUE(postgres.text.contains("LIMIT 10")) << postgres.text;
  EXPECT_FALSE(postgres.text.contains("?")) << postgres.text;
}

TEST_F(SearchText, ALongListOfCodesIsOneValue) {
  search::Query query{.type = "Patient", .conditions = {where("Patient", "gender", {})}};
  query.conditions[0].modifier = search::Modifier::in;
  query.conditions[0].any_of.clear();
  for (int i = 0; i < 10'000; ++i) {
    query.conditions[0].any_of.push_back(
        {.value = std::to_string(i), .system = "http://s", .system_is = search::Term::System::named});
  }
  auto sql = compile(query);
  ASSERT_TRUE(sql.choose_probes(nullptr));
  const auto page = sql.page(nullptr, std::nullopt, std::nullopt, 10);
  EXPECT_LT(page.values.size(), 10U);
  EXPECT_LT(page.text.size(), 1'000U);
}

TEST_F(SearchText, TheMoreSelectiveKindIsCountedFirst) {
  const search::Query query{
      .type = "Patient",
      .conditions = {where("Patient", "gender", {.value = "male"}),
                     where("Patient", "birthdate", {.low = 1, .high = 2}), where("Patient", "family", {.value = "a"}),
                     where("Patient", "identifier", {.value = "1"})}};
  auto sql = compile(query);
  ASSERT_TRUE(sql.best_lead(1'000));
  std::vector<std::string_view> tables;
  for (const auto& statement : counted_) {
    const std::string_view text(statement.text);
    const auto at = text.find("SELECT record FROM ") + 19;
    tables.push_back(text.substr(at, text.find(' ', at) - at));
  }
  EXPECT_EQ(tables, (std::vector<std::string_view>{"token_index", "string_index", "date_index", "token_index"}));
}

TEST_F(SearchText, AConditionWithoutAValueIsInvalid) {
  search::Query query{.type = "Patient", .conditions = {where("Patient", "gender", {})}};
  query.conditions[0].any_of.clear();
  (void)compile({.type = "Patient"});
  const auto sql = SearchSql::compile(query, context_);
  ASSERT_FALSE(sql);
  EXPECT_EQ(sql.error().code, Code::invalid);
}

TEST_F(SearchText, ACursorBelongsToItsSearch) {
  search::Query query{.type = "Patient", .conditions = {where("Patient", "gender", {.value = "male"})}};
  query.cursor = make_cursor(query, {.place = 1'234, .keys = {}});
  EXPECT_EQ((*read_cursor(query))->place, 1'234);
  query.count = 50;  // the page size may change on the way
  EXPECT_EQ((*read_cursor(query))->place, 1'234);
  auto other = query;
  other.conditions[0].any_of[0].value = "female";
  EXPECT_FALSE(read_cursor(other));
  other = query;
  other.order = search::Order::oldest_first;
  EXPECT_FALSE(read_cursor(other));
  other = query;
  other.cursor[0] = '5';
  EXPECT_FALSE(read_cursor(other));
}

TEST_F(SearchText, ACursorKeepsTheKeysOfASort) {
  const auto* const family = search::find_parameter("Patient", "family");
  search::Query query{.type = "Patient", .sort = {{.parameter = family}, {.parameter = family, .descending = true}}};
  const SortKeys keys{std::string("\0.:\xff", 4), std::nullopt};
  query.cursor = make_cursor(query, {.place = 7, .keys = keys});
  EXPECT_EQ((*read_cursor(query))->keys, keys);
  query.sort.pop_back();
  EXPECT_FALSE(read_cursor(query));
}

TEST_F(SearchText, KeysOfSortedValuesCompareByTheirBytes) {
  const search::Parameter number{.kind = search::Kind::number};
  const search::Parameter date{.kind = search::Kind::date};
  std::string before;
  for (const double value : {-1e300, -2.5, -1.0, 0.0, 1e-9, 1.0, 2.5, 1e300}) {
    const auto key = sort_key_of({.parameter = &number}, value);
    EXPECT_LT(before, key) << value;
    EXPECT_EQ(std::get<double>(*sort_value({.parameter = &number}, key)), value);
    before = key;
  }
  before.clear();
  for (const std::int64_t value : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, INT64_MAX}) {
    const auto key = sort_key_of({.parameter = &date}, value);
    EXPECT_LT(before, key) << value;
    EXPECT_EQ(std::get<std::int64_t>(*sort_value({.parameter = &date}, key)), value);
    before = key;
  }
}

TEST_F(SearchText, AWordIsNotSplitByTheTextIndex) {
  EXPECT_EQ(typed_word(27, "blood"), "bbblood");
  const auto word = typed_word(0, "don't");
  EXPECT_TRUE(std::ranges::none_of(word, [](char c) { return c == '\''; })) << word;
  EXPECT_NE(word, typed_word(0, "don-t"));
}

}  // namespace
}  // namespace mydr24::store
