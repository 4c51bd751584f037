#pragma once

// The search part of the contract (see contract_test.h).

#include <algorithm>
#include <ranges>

#include "storage/store/contract_test.h"

namespace mydr24::store {

class StoreSearchContract : public StoreContract {
 protected:
  using Conditions = std::vector<search::Condition>;

  static search::Condition where(std::string_view type, std::string_view code, std::vector<search::Term> terms,
                                 search::Modifier modifier = search::Modifier::none) {
    const auto* parameter = search::find_parameter(type, code);
    EXPECT_NE(parameter, nullptr) << type << "." << code;
    return {.parameter = parameter, .modifier = modifier, .any_of = std::move(terms)};
  }
  static search::Term value(std::string_view text) { return {.value = std::string(text)}; }
  static search::Term date(search::Prefix prefix, std::string_view text) {
    const auto range = parse_date_time(text);
    return {.prefix = prefix, .low = to_us(range->low), .high = to_us(range->high)};
  }
  static search::Term token(std::string_view system, std::string_view code) {
    return {.value = std::string(code),
            .system = std::string(system),
            .system_is = system.empty() ? search::Term::System::none : search::Term::System::named};
  }
  static search::Query query(std::string_view type, Conditions conditions) {
    return {.type = std::string(type), .conditions = std::move(conditions)};
  }

  SearchPage page(const search::Query& asked) {
    return ask<SearchPage>([&](Reader& reader) { return reader.search(asked); });
  }
  // The ids found, all on one page, joined by spaces; the total must agree with them, and so must pages of two.
  std::string found(search::Query asked) {
    asked.total = search::Total::accurate;
    const auto all = page(asked);
    EXPECT_EQ(all.total, static_cast<std::int64_t>(all.matches.size()));
    EXPECT_TRUE(all.next_cursor.empty());
    std::string paged;
    asked.count = 2;
    for (;;) {
      const auto some = page(asked);
      EXPECT_EQ(some.total, all.total);
      EXPECT_LE(some.matches.size(), 2U);
      for (const Version& version : some.matches) paged += version.id + " ";
      if (some.next_cursor.empty()) break;
      asked.cursor = some.next_cursor;
    }
    std::string ids;
    for (const Version& version : all.matches) ids += version.id + " ";
    EXPECT_EQ(paged, ids);
    return ids.empty() ? ids : ids.substr(0, ids.size() - 1);
  }
  std::string found(std::string_view type, Conditions conditions) { return found(query(type, std::move(conditions))); }

  void write_patients() {
    const auto one = [&](std::string_view id, std::string_view family, std::string_view more) {
      write("Patient", id, patient(id, family, more));
    };
    one("p1", "Meyer",
        R"(,"gender":"female","birthDate":"1980-05-17","identifier":[{"system":"http://a","value":"1"}])");
    one("p2", "Meier", R"(,"gender":"male","birthDate":"1980","identifier":[{"system":"http://b","value":"1"}])");
    one("p3", "MEYER-Schmidt",
        R"(,"gender":"female","birthDate":"1990-01-01","identifier":[{"value":"1"},{"system":"http://a","value":"3"}])");
    one("p4", "Ångström", R"(,"gender":"male")");
    one("p5", "meyer", R"(,"birthDate":"2001-12-31")");
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreSearchContract);

TEST_P(StoreSearchContract, StringsMatchFromTheirBeginningFolded) {
  write_patients();
  const auto family = [&](std::vector<search::Term> terms, search::Modifier modifier = search::Modifier::none) {
    return found("Patient", {where("Patient", "family", std::move(terms), modifier)});
  };
  EXPECT_EQ(family({value("meyer")}), "p5 p3 p1");
  EXPECT_EQ(family({value("me")}), "p5 p3 p2 p1");
  EXPECT_EQ(family({value("angst")}), "p4");
  EXPECT_EQ(family({value("angst"), value("meie")}), "p4 p2");
  EXPECT_EQ(family({value("schmidt")}), "");
  EXPECT_EQ(family({value("schmidt")}, search::Modifier::contains), "p3");
  EXPECT_EQ(family({{.value = "meyer", .exact = "Meyer"}}, search::Modifier::exact), "p1");
  EXPECT_EQ(
      family({{.value = "meyer", .exact = "Meyer"}, {.value = "meyer", .exact = "meyer"}}, search::Modifier::exact),
      "p5 p1");
}

TEST_P(StoreSearchContract, TokensMatchByCodeAndSystem) {
  write_patients();
  const auto identifier = [&](std::vector<search::Term> terms, search::Modifier modifier = search::Modifier::none) {
    return found("Patient", {where("Patient", "identifier", std::move(terms), modifier)});
  };
  EXPECT_EQ(identifier({value("1")}), "p3 p2 p1");
  EXPECT_EQ(identifier({token("http://a", "1")}), "p1");
  EXPECT_EQ(identifier({token("", "1")}), "p3");
  EXPECT_EQ(identifier({token("http://never.seen", "1")}), "");
  EXPECT_EQ(identifier({{.system = "http://a", .system_is = search::Term::System::named, .any_code = true}}), "p3 p1");
  EXPECT_EQ(identifier({token("http://b", "1"), value("3")}), "p3 p2");
  EXPECT_EQ(identifier({value("1"), value("3")}), "p3 p2 p1");
  EXPECT_EQ(identifier({value("3")}, search::Modifier::is_not), "p5 p4 p2 p1");
  EXPECT_EQ(identifier({{.missing = true}}, search::Modifier::missing), "p5 p4");
  EXPECT_EQ(identifier({{.missing = false}}, search::Modifier::missing), "p3 p2 p1");
}

TEST_P(StoreSearchContract, AllConditionsMustHold) {
  write_patients();
  const auto female = where("Patient", "gender", {value("female")});
  const auto male = where("Patient", "gender", {value("male")});
  const auto name = where("Patient", "family", {value("me")});
  const auto any_a = where("Patient", "identifier",
                           {{.system = "http://a", .system_is = search::Term::System::named, .any_code = true}});
  const auto born = where("Patient", "birthdate", {date(search::Prefix::lt, "1985")});
  EXPECT_EQ(found("Patient", {female, name}), "p3 p1");
  EXPECT_EQ(found("Patient", {female, name, born}), "p1");
  EXPECT_EQ(found("Patient", {name, any_a}), "p3 p1");
  EXPECT_EQ(found("Patient", {female, male}), "");
  EXPECT_EQ(found("Patient", {where("Patient", "_id", {value("p1"), value("p2"), value("px")}), female}), "p1");
  EXPECT_EQ(found("Patient", {where("Patient", "_id", {value("p2")})}), "p2");
  EXPECT_EQ(found("Patient", {}), "p5 p4 p3 p2 p1");
  EXPECT_EQ(found("Encounter", {}), "");
}

// Each prefix against a day, a year and periods with and without ends.
// Source: FHIR R4, search.html, 3.1.1.4.4.
TEST_P(StoreSearchContract, DatesCompareByTheirRanges) {
  const auto encounter = [&](std::string_view id, std::string_view start, std::string_view end) {
    std::string period;
    if (!start.empty()) period += fmt::format(R"("start":"{}")", start);
    if (!end.empty()) period += fmt::format(R"({}"end":"{}")", period.empty() ? "" : ",", end);
    write("Encounter", id,
          fmt::format(R"({{"resourceType":"Encounter","id":"{}","status":"finished","period":{{{}}}}})", id, period));
  };
  encounter("before", "2020-01-01", "2020-02-01");
  encounter("into", "2020-12-01", "2021-02-01");
  encounter("inside", "2021-05-01T10:00:00Z", "2021-05-01T11:00:00Z");
  encounter("across", "2020-06-01", "2022-06-01");
  encounter("out", "2021-12-01", "2022-02-01");
  encounter("after", "2022-03-01T00:00:00Z", "2022-03-01T01:00:00Z");
  encounter("open", "2021-07-01", "");
  encounter("ended", "", "2021-07-01");
  struct Case {
    search::Prefix prefix;
    std::string_view expected;
  };
  using enum search::Prefix;
  constexpr Case cases[] = {
      {eq, "inside"},
      {ne, "ended open after out across into before"},
      {gt, "open after out across"},
      {lt, "ended across into before"},
      {ge, "open after out across inside"},
      {le, "ended across inside into before"},
      {sa, "after"},
      {eb, "before"},
  };
  for (const auto& [prefix, expected] : cases) {
    EXPECT_EQ(found("Encounter", {where("Encounter", "date", {date(prefix, "2021")})}), expected)
        << static_cast<int>(prefix);
    // The same as a probe behind a more selective condition.
    EXPECT_EQ(found("Encounter",
                    {where("Encounter", "date", {date(prefix, "2021")}), where("Encounter", "_id", {value("inside")})}),
              expected.contains("inside") ? "inside" : "");
  }
  clock_.set(from_us(to_us(parse_date_time("2022-01-01")->low)));
  EXPECT_EQ(found("Encounter", {where("Encounter", "date", {date(ap, "2021-05-01")})}), "ended across inside");
  EXPECT_EQ(found("Encounter", {where("Encounter", "date", {{.missing = false}}, search::Modifier::missing)}),
            "ended open after out across inside into before");
}

TEST_P(StoreSearchContract, ReferencesMatchTheirTarget) {
  const auto observation = [&](std::string_view id, std::string_view subject, std::string_view code) {
    write(
        "Observation", id,
        fmt::format(
            R"({{"resourceType":"Observation","id":"{}","status":"final","subject":{{"reference":"{}"}},"code":{{"coding":[{{"system":"http://loinc.org","code":"{}"}}]}}}})",
            id, subject, code));
  };
  observation("o1", "Patient/p1", "8867-4");
  observation("o2", "Patient/p2", "8867-4");
  observation("o3", "Patient/p1", "9279-1");
  const auto subject = [&](std::string_view target) { return where("Observation", "subject", {value(target)}); };
  const auto code = where("Observation", "code", {token("http://loinc.org", "8867-4")});
  EXPECT_EQ(found("Observation", {subject("Patient/p1")}), "o3 o1");
  EXPECT_EQ(found("Observation", {subject("Patient/p1"), code}), "o1");
  EXPECT_EQ(found("Observation", {where("Observation", "subject", {value("Patient/p1"), value("Patient/p2")})}),
            "o3 o2 o1");
  EXPECT_EQ(found("Observation", {subject("Patient/p3")}), "");
  EXPECT_EQ(found("Observation", {where("Observation", "subject", {value("Patient/p2")}, search::Modifier::is_not)}),
            "o3 o1");
}

TEST_P(StoreSearchContract, WhatChangedIsFoundByItsNewContentOnly) {
  write_patients();
  write("Patient", "p1", patient("p1", "Huber", R"(,"gender":"female")"));
  remove("Patient", "p3");
  EXPECT_EQ(found("Patient", {where("Patient", "family", {value("me")})}), "p5 p2");
  EXPECT_EQ(found("Patient", {where("Patient", "family", {value("hub")})}), "p1");
  EXPECT_EQ(found("Patient", {where("Patient", "identifier", {value("1")})}), "p2");
  EXPECT_EQ(found("Patient", {}), "p5 p4 p2 p1");
  EXPECT_EQ(found("Patient", {where("Patient", "_id", {value("p3")})}), "");
  EXPECT_EQ(found("Patient", {where("Patient", "identifier", {{.missing = true}}, search::Modifier::missing)}),
            "p5 p4 p1");
  EXPECT_EQ(page(query("Patient", {where("Patient", "_id", {value("p1")})})).matches.at(0).body,
            patient("p1", "Huber", R"(,"gender":"female")"));
}

TEST_P(StoreSearchContract, LastUpdatedSelectsAndOrders) {
  const Instant start = clock_.now();
  const auto ordered = [&](search::Order order, Conditions conditions) {
    auto asked = query("Patient", std::move(conditions));
    asked.by_last_updated = true;
    asked.order = order;
    return found(asked);
  };
  for (const auto* id : {"a", "b", "c", "d"}) {
    write("Patient", id, patient(id));
    clock_.advance(std::chrono::seconds(1));
  }
  write("Patient", "b", patient("b", "Meyers"));
  using enum search::Order;
  EXPECT_EQ(ordered(newest_first, {}), "b d c a");
  EXPECT_EQ(ordered(oldest_first, {}), "a c d b");
  EXPECT_EQ(ordered(newest_first, {where("Patient", "family", {value("meyer")})}), "b d c a");
  const auto at = [&](search::Prefix prefix, int second) {
    const auto low = to_us(start + std::chrono::seconds(second));
    return where("Patient", "_lastUpdated", {{.prefix = prefix, .low = low, .high = low + 1'000'000}});
  };
  using enum search::Prefix;
  EXPECT_EQ(found("Patient", {at(eq, 2)}), "c");
  EXPECT_EQ(found("Patient", {at(ne, 2)}), "d b a");
  EXPECT_EQ(found("Patient", {at(gt, 2)}), "d b");
  EXPECT_EQ(found("Patient", {at(ge, 2)}), "d c b");
  EXPECT_EQ(found("Patient", {at(lt, 2)}), "a");
  EXPECT_EQ(found("Patient", {at(le, 2)}), "c a");
  EXPECT_EQ(found("Patient", {at(gt, 2), where("Patient", "family", {value("meyers")})}), "b");
  EXPECT_EQ(ordered(oldest_first, {at(ge, 2)}), "c d b");
  auto oldest = query("Patient", {});
  oldest.order = oldest_first;
  EXPECT_EQ(found(oldest), "a b c d");
}

TEST_P(StoreSearchContract, PagingNeitherRepeatsNorSkipsWhileOthersWrite) {
  for (int i = 0; i < 30; ++i) write("Patient", fmt::format("p{:02}", i), patient(fmt::format("p{:02}", i)));
  for (const bool with_condition : {false, true}) {
    auto asked = query("Patient", {});
    if (with_condition) asked.conditions = {where("Patient", "family", {value("meyer")})};
    asked.count = 7;
    std::vector<std::string> seen;
    for (int round = 0;; ++round) {
      const auto some = page(asked);
      for (const Version& version : some.matches) seen.push_back(version.id);
      if (some.next_cursor.empty()) break;
      asked.cursor = some.next_cursor;
      write("Patient", fmt::format("new{}-{}", with_condition, round),
            patient(fmt::format("new{}-{}", with_condition, round)));
      write("Patient", "p00", patient("p00", fmt::format("Meyer{}", round)));
    }
    EXPECT_TRUE(std::ranges::is_sorted(seen | std::views::filter([](const auto& id) { return id.starts_with("p"); }),
                                       std::greater()));
    EXPECT_EQ(std::ranges::count_if(seen, [](const auto& id) { return id.starts_with("p"); }), 30);
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), seen.size());
  }
}

TEST_P(StoreSearchContract, ACursorOfAnotherSearchIsRefused) {
  for (const auto* id : {"a", "b", "c"}) write("Patient", id, patient(id));
  auto asked = query("Patient", {});
  asked.count = 1;
  const auto cursor = page(asked).next_cursor;
  ASSERT_FALSE(cursor.empty());
  auto other = query("Patient", {where("Patient", "family", {value("me")})});
  for (const std::string& wrong : {cursor, cursor + "0", std::string("1"), std::string("x-y"), std::string("-1-0")}) {
    other.cursor = wrong;
    const auto outcome = store_->read([&](Reader& reader) -> Result<> {
      MYDR24_TRY(reader.search(other));
      return {};
    });
    ASSERT_FALSE(outcome) << wrong;
    EXPECT_EQ(outcome.error().code, Code::invalid);
  }
}

TEST_P(StoreSearchContract, ACountOfZeroGivesTheTotalOnly) {
  write_patients();
  auto asked = query("Patient", {where("Patient", "gender", {value("male")})});
  asked.count = 0;
  const auto answer = page(asked);
  EXPECT_TRUE(answer.matches.empty());
  EXPECT_EQ(answer.total, 2);
}

// As what somebody may not see is left out: the total must follow every write, and so must what is left out.
TEST_P(StoreSearchContract, TotalsAreWithoutWhatConditionsLeaveOut) {
  const auto person = [](std::string_view id, std::string_view gender, std::string_view tag) {
    return fmt::format(
        R"({{"resourceType":"Patient","id":"{}","gender":"{}","meta":{{"tag":[{{"system":"http://t","code":"{}"}}]}}}})",
        id, gender, tag);
  };
  const auto without = [](std::vector<search::Condition> parts) {
    search::Condition none;
    none.form = search::Condition::Form::none;
    none.parts = std::move(parts);
    return none;
  };
  const auto male = where("Patient", "gender", {value("male")});
  const auto secret = without({where("Patient", "_tag", {token("http://t", "secret")})});
  const auto both = without({where("Patient", "_tag", {token("http://t", "secret")}),
                             where("Patient", "_id", {value("a"), value("nobody")})});
  const auto totals = [&](int of_type, int of_male, int of_both) {
    const auto total = [&](Conditions conditions) {
      auto asked = query("Patient", std::move(conditions));
      asked.total = search::Total::accurate;
      const auto answer = page(asked);
      EXPECT_EQ(std::ssize(answer.matches), *answer.total);
      return answer.total;
    };
    for (int again = 0; again < 2; ++again) {  // counted, and kept
      EXPECT_EQ(total({secret}), of_type);
      EXPECT_EQ(total({male, secret}), of_male);
      EXPECT_EQ(total({secret, male, both}), of_both);
      EXPECT_EQ(total({both}), of_type - 1);
    }
  };
  write("Patient", "a", person("a", "male", "open"));
  write("Patient", "b", person("b", "male", "open"));
  write("Patient", "c", person("c", "female", "open"));
  totals(3, 2, 1);
  write("Patient", "d", person("d", "male", "secret"));
  write("Patient", "e", person("e", "female", "secret"));
  totals(3, 2, 1);
  write("Patient", "d", person("d", "male", "open"));
  totals(4, 3, 2);
  write("Patient", "b", person("b", "male", "secret"));
  totals(3, 2, 1);
}

TEST_P(StoreSearchContract, TheValuesOfAParameterAreListedWithTheNewestResourceOfEach) {
  write_patients();
  const auto values = ask<std::vector<ParameterValue>>(
      [](Reader& reader) { return reader.values(*search::find_parameter("Patient", "identifier"), 10); });
  std::vector<std::string> found;
  for (const auto& one : values) found.push_back(one.system + "|" + one.value + " " + one.newest.id);
  std::ranges::sort(found);
  EXPECT_EQ(found, (std::vector<std::string>{"http://a|1 p1", "http://a|3 p3", "http://b|1 p2", "|1 p3"}));
  EXPECT_EQ(ask<std::vector<ParameterValue>>([](Reader& reader) {
              return reader.values(*search::find_parameter("Patient", "gender"), 1);
            }).size(),
            1U);
}

// The conditions lead in different ways when they have more rows than are worth collecting.
TEST_P(StoreSearchContract, LargeSetsAreFoundAsSmallOnesAre) {
  constexpr int count = 1'500;
  ASSERT_TRUE(store_->write(RequestClass::background, [&](Transaction& transaction) -> Result<> {
    for (int i = 0; i < count; ++i) {
      const auto id = fmt::format("o{:04}", i);
      MYDR24_TRY(put(
          transaction, *store_, "Observation", id,
          fmt::format(
              R"({{"resourceType":"Observation","id":"{}","status":"{}","effectiveDateTime":"2024-01-{:02}T00:00:00Z","code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4"}}]}}}})",
              id, i % 500 == 0 ? "amended" : "final", 1 + i % 28)));
    }
    return {};
  }));
  const auto code = where("Observation", "code", {value("8867-4")});
  const auto final_status = where("Observation", "status", {value("final")});
  const auto amended = where("Observation", "status", {value("amended")});
  const auto dated = where("Observation", "date", {date(search::Prefix::ge, "2024-01-01")});
  EXPECT_EQ(found("Observation", {code, amended}), "o1000 o0500 o0000");
  EXPECT_EQ(found("Observation", {dated, amended}), "o1000 o0500 o0000");
  for (const bool by_last_updated : {false, true}) {
    for (const auto& conditions :
         {Conditions{code, final_status, dated}, Conditions{dated, final_status}, Conditions{dated}}) {
      auto asked = query("Observation", conditions);
      asked.count = 3;
      asked.by_last_updated = by_last_updated;
      asked.total = search::Total::accurate;
      const auto some = page(asked);
      ASSERT_EQ(some.matches.size(), 3U);
      EXPECT_EQ(some.matches[0].id, "o1499");
      EXPECT_EQ(some.matches[2].id, "o1497");
      EXPECT_EQ(some.total, conditions.size() == 1 ? count : count - 3);
    }
  }
}

}  // namespace mydr24::store
