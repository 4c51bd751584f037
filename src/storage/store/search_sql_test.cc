#include "storage/store/search_sql.h"

#include <gtest/gtest.h>

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
    context_ = {.dialect = dialect, .type = 3, .parameters = numbers_, .sequence_at = [](Instant at) {
                  return Result<std::int64_t>(to_us(at));
                }};
    auto sql = SearchSql::compile(query, context_);
    EXPECT_TRUE(sql);
    return std::move(*sql);
  }

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
  const auto sql = compile(query);
  EXPECT_EQ(sql.leads().size(), query.conditions.size());
  for (const auto& lead : sql.leads()) {
    for (const auto& statement : {sql.page(&lead, 5, 10), sql.total(&lead, 10), sql.estimate(lead, 10)}) {
      EXPECT_FALSE(statement.text.contains("DROP")) << statement.text;
    }
  }
}

TEST_F(SearchText, EachDialectNumbersItsValuesInItsWay) {
  const search::Query query{.type = "Patient", .conditions = {where("Patient", "gender", {.value = "male"})}};
  const auto sqlite = compile(query).page(nullptr, std::nullopt, 10);
  EXPECT_TRUE(sqlite.text.contains(fmt::format("LIMIT ?{}", sqlite.values.size()))) << sqlite.text;
  const auto postgres = compile(query, postgres_dialect).page(nullptr, std::nullopt, 10);
  EXPECT_TRUE(postgres.text.contains(fmt::format("LIMIT ${}", postgres.values.size()))) << postgres.text;
  EXPECT_FALSE(postgres.text.contains("?")) << postgres.text;
}

TEST_F(SearchText, TheMoreSelectiveKindIsTriedFirst) {
  const search::Query query{
      .type = "Patient",
      .conditions = {where("Patient", "gender", {.value = "male"}),
                     where("Patient", "birthdate", {.low = 1, .high = 2}), where("Patient", "family", {.value = "a"}),
                     where("Patient", "family", {.value = "b"}, search::Modifier::is_not),
                     where("Patient", "identifier", {.value = "1"})}};
  const auto sql = compile(query);
  std::vector<std::size_t> order;
  for (const auto& lead : sql.leads()) order.push_back(lead.condition);
  EXPECT_EQ(order, (std::vector<std::size_t>{4, 2, 1, 0}));
}

TEST_F(SearchText, AConditionWithoutAValueIsInvalid) {
  search::Query query{.type = "Patient", .conditions = {where("Patient", "gender", {})}};
  query.conditions[0].any_of.clear();
  const SearchContext context{.dialect = sqlite_dialect};
  const auto sql = SearchSql::compile(query, context);
  ASSERT_FALSE(sql);
  EXPECT_EQ(sql.error().code, Code::invalid);
}

TEST_F(SearchText, ACursorBelongsToItsSearch) {
  search::Query query{.type = "Patient", .conditions = {where("Patient", "gender", {.value = "male"})}};
  query.cursor = make_cursor(query, 1'234);
  EXPECT_EQ(read_cursor(query).value(), 1'234);
  query.count = 50;  // the page size may change on the way
  EXPECT_EQ(read_cursor(query).value(), 1'234);
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

TEST_F(SearchText, ExactIsDecidedOnTheTextAsWritten) {
  const search::Query query{
      .type = "Patient",
      .conditions = {where("Patient", "family", {.value = "muller", .exact = "Müller"}, search::Modifier::exact)}};
  const auto is = [&](std::string text) {
    const auto document = json::Document::parse(std::move(text));
    return is_exact(query, document->root());
  };
  EXPECT_TRUE(needs_exact(query));
  EXPECT_TRUE(is(R"({"name":[{"family":"Müller"}]})"));
  EXPECT_TRUE(is(R"({"name":[{"family":"M\u00fcller"}]})"));
  EXPECT_FALSE(is(R"({"name":[{"family":"MÜLLER"},{"text":"Herr Müller"}]})"));
}

}  // namespace
}  // namespace mydr24::store
