#pragma once

// The contract beyond single searches: totals that are kept, limits, plans, reindexing and copying (see
// contract_test.h).

#include <atomic>
#include <string>
#include <vector>

#include "storage/store/contract_oracle_test.h"
#include "storage/store/erasure.h"

namespace mydr24::store {

class StoreMoreContract : public StoreOracleContract {
 protected:
  std::int64_t total_of(std::string_view type, const Asked& asked) {
    auto query = search::parse_query(type, asked, search::ParseOptions{});
    EXPECT_TRUE(query);
    query->total = search::Total::accurate;
    query->count = 0;
    return page(*query).total.value_or(-1);
  }
  Error error_of(const search::Query& query, const ReadLimits& limits) {
    const auto outcome = store_->read(
        [&](Reader& reader) -> Result<> {
          MYDR24_TRY(reader.search(query));
          return {};
        },
        limits, 0);
    return outcome ? Error{.code = Code::internal, .text = "it was answered", .where = {}} : outcome.error();
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreMoreContract);

// Totals may be kept: they must follow every kind of write.
TEST_P(StoreMoreContract, AReadThatAsksNothingDisturbsNoneAfterIt) {
  write("Patient", "p1", patient("p1", "Meyer", ""));
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) EXPECT_TRUE(store_->read([](Reader&) -> Result<> { return {}; }));
    EXPECT_EQ(ask<std::int64_t>([](Reader& reader) { return reader.count_resources("Patient"); }), 1);
  }
}

// Gone for good: no version, no search, no copy shows it; the lines and everything else stay.
TEST_P(StoreMoreContract, WhatIsErasedIsGoneInEveryVersionAndNothingElseIs) {
  write("Patient", "p1", patient("p1", "Erasmus", ""));
  write("Patient", "p1", patient("p1", "Erasmusson", ""));
  write("Patient", "p2", patient("p2", "Meyer", ""));
  const auto last_before = ask<Sequence>([](Reader& reader) { return reader.last_sequence(); });
  const auto erase = [&](std::string_view id) {
    std::int64_t bodies = -1;
    const auto done = store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
      MYDR24_ASSIGN(bodies, erase_bodies(transaction, "Patient", id));
      return {};
    });
    return std::pair(done ? std::optional<Code>() : done.error().code, bodies);
  };
  EXPECT_EQ(erase("p1").first, Code::stale) << "it is not deleted";
  EXPECT_EQ(erase("p3").first, Code::not_found);
  const auto erased = store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
    MYDR24_TRY(begin_erasing(transaction));
    MYDR24_TRY(put(transaction, *store_, "Patient", "p1", ""));
    MYDR24_ASSIGN(const auto bodies, erase_bodies(transaction, "Patient", "p1"));
    EXPECT_EQ(bodies, 2);
    return {};
  });
  ASSERT_TRUE(erased) << erased.error().text;
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(store_->read([&](Reader& reader) -> Result<> {
      for (int number = 1; number <= 3; ++number) {
        MYDR24_ASSIGN(const auto version, reader.version("Patient", "p1", number));
        EXPECT_TRUE(version);
        if (!version) continue;
        EXPECT_EQ(version->action, Action::remove) << number;
        EXPECT_TRUE(version->body.empty()) << number;
      }
      MYDR24_ASSIGN(const auto history, reader.history({.type = "Patient"}));
      EXPECT_EQ(history.size(), 4U);
      MYDR24_ASSIGN(const auto lines, reader.journal(0, 100));
      for (const auto& line : lines) EXPECT_FALSE(line.version.body.contains("Erasmus"));
      MYDR24_ASSIGN(const auto last, reader.last_sequence());
      EXPECT_EQ(last, last_before + 1);
      MYDR24_ASSIGN(const auto other, reader.current("Patient", "p2"));
      EXPECT_TRUE(other && other->body.contains("Meyer"));
      return {};
    }));
    EXPECT_EQ(total_of("Patient", {{"name", "Erasmus"}}), 0);
    EXPECT_EQ(total_of("Patient", {{"_content", "erasmusson"}}), 0);
    EXPECT_EQ(total_of("Patient", {}), 1);
    const auto findings = store_->verify();
    ASSERT_TRUE(findings);
    EXPECT_EQ(*findings, std::vector<std::string>());
    reopen();
  }
  EXPECT_EQ(erase("p1"), std::pair(std::optional<Code>(), std::int64_t{0})) << "once more changes nothing";
  write("Patient", "p1", patient("p1", "Newman", ""));
  EXPECT_EQ(total_of("Patient", {{"name", "Newman"}}), 1);
}

TEST_P(StoreMoreContract, TotalsFollowEveryWrite) {
  const auto observation = [](std::string_view id, std::string_view codings) {
    return resource("Observation", id, fmt::format(R"("status":"final","code":{{"coding":[{}]}})", codings));
  };
  constexpr std::string_view a = R"({"system":"http://a","code":"1"})";
  constexpr std::string_view both = R"({"system":"http://a","code":"1"},{"system":"http://b","code":"1"})";
  const auto expect_totals = [&](int all, int code, int of_a, int of_b) {
    for (int asked_again = 0; asked_again < 2; ++asked_again) {
      EXPECT_EQ(total_of("Observation", {}), all);
      EXPECT_EQ(total_of("Observation", {{"code", "1"}}), code);
      EXPECT_EQ(total_of("Observation", {{"code", "http://a|1"}}), of_a);
      EXPECT_EQ(total_of("Observation", {{"code", "http://b|1"}}), of_b);
    }
  };
  expect_totals(0, 0, 0, 0);
  write("Observation", "x", observation("x", a));
  write("Observation", "y", observation("y", both));
  expect_totals(2, 2, 2, 1);
  write("Observation", "x", observation("x", both));
  expect_totals(2, 2, 2, 2);
  write("Observation", "x", observation("x", R"({"code":"2"})"));
  expect_totals(2, 1, 1, 1);
  remove("Observation", "y");
  expect_totals(1, 0, 0, 0);
  remove("Observation", "y");
  write("Observation", "y", observation("y", a));
  expect_totals(2, 1, 1, 0);
  const auto undone = store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
    MYDR24_TRY(put(transaction, *store_, "Observation", "z", observation("z", both)));
    return fail(Code::conflict, "changed my mind");
  });
  EXPECT_FALSE(undone);
  expect_totals(2, 1, 1, 0);
  reopen();
  expect_totals(2, 1, 1, 0);
}

TEST_P(StoreMoreContract, ASearchThatNobodyWaitsForEnds) {
  for (int i = 0; i < 5; ++i) write("Patient", fmt::format("p{}", i), patient(fmt::format("p{}", i)));
  const std::atomic<bool> cancelled = true;
  auto query = search::parse_query("Patient", Asked{{"family:contains", "y"}}, search::ParseOptions{});
  ASSERT_TRUE(query);
  EXPECT_EQ(error_of(*query, {.time_max = {}, .cancelled = &cancelled}).code, Code::too_costly);
  EXPECT_EQ(page(*query).matches.size(), 5U);  // the connection is as good as before
}

TEST_P(StoreMoreContract, AnExplanationNamesTheLead) {
  write_hospital(3, 2);
  const auto query =
      search::parse_query("Observation", Asked{{"code", "8480-6"}, {"subject", "Patient/p1"}}, search::ParseOptions{});
  ASSERT_TRUE(query);
  const auto text = ask<std::string>([&](Reader& reader) { return reader.explain(*query); });
  EXPECT_TRUE(text.contains("lead: subject")) << text;
  EXPECT_TRUE(text.contains("SELECT")) << text;
  EXPECT_TRUE(text.contains("Patient/p1")) << text;
}

TEST_P(StoreMoreContract, AReindexReplacesRowsOfTheVersionThatStands) {
  write("Patient", "a", patient("a", "Meyer"));
  const auto entries = entries_of(patient("a", "Meyer"));
  const auto others = entries_of(patient("a", "Huber"));
  const auto change = [&](std::int64_t version, const auto& before, const auto& after) {
    return store_->write(RequestClass::background, [&](Transaction& transaction) {
      return transaction.reindex("Patient", "a", version, before, after);
    });
  };
  ASSERT_TRUE(change(1, entries, others));
  EXPECT_EQ(found("Patient", {where("Patient", "family", {value("huber")})}), "a");
  EXPECT_EQ(found("Patient", {where("Patient", "family", {value("meyer")})}), "");
  EXPECT_EQ(current("Patient", "a")->version, 1);
  ASSERT_TRUE(change(1, others, entries));
  EXPECT_EQ(change(2, entries, others).error().code, Code::stale);
  remove("Patient", "a");
  EXPECT_EQ(change(2, entries, others).error().code, Code::stale);
}

TEST_P(StoreMoreContract, ACopyHoldsWhatTheStoreHeld) {
  write_hospital(4, 3);
  drop("Patient", "p1");
  note("something");
  keep("Patient", "p1", resource("Patient", "p1", R"("name":[{"family":"Back"}])"));
  ASSERT_TRUE(store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
    MYDR24_TRY(transaction.set_state("a", "k1", "v1"));
    MYDR24_TRY(transaction.set_state("b", "k0", "v2"));
    MYDR24_TRY(transaction.set_timer({.key = "t", .due = clock_.now(), .kind = "k", .payload = "p"}));
    return transaction.set_cursor("follower", 3);
  }));
  const auto place = GetParam()();
  auto copy = place->open(clock_);
  ASSERT_TRUE(copy) << copy.error().text;
  Sequence after = 0;
  std::map<std::string, std::string> bodies;
  for (;;) {
    const auto lines = ask<std::vector<JournalLine>>([&](Reader& reader) { return reader.journal(after, 7); });
    if (lines.empty()) break;
    const auto copied = (*copy)->write(RequestClass::background, [&](Transaction& transaction) -> Result<> {
      for (const JournalLine& line : lines) {
        after = std::max(line.version.sequence, line.event.sequence);
        auto& before = bodies[fmt::format("{}/{}", line.version.type, line.version.id)];
        const auto body = (*copy)->pack(line.version.body, line.version.meta_at);
        const bool has_body = !line.version.type.empty() && line.version.action != Action::remove;
        MYDR24_TRY(
            transaction.replay(line, has_body ? &body : nullptr, entries_of(before), entries_of(line.version.body)));
        before = line.version.body;
      }
      return {};
    });
    ASSERT_TRUE(copied) << copied.error().text;
  }
  ASSERT_TRUE((*copy)->write(RequestClass::background, [&](Transaction& transaction) -> Result<> {
    for (const auto& row : ask<std::vector<SpaceRow>>([](Reader& reader) { return reader.all_states("", "", 10); })) {
      MYDR24_TRY(transaction.set_state(row.space, row.row.key, row.row.value));
    }
    for (const auto& timer : ask<std::vector<Timer>>([](Reader& reader) { return reader.all_timers("", 10); })) {
      MYDR24_TRY(transaction.set_timer(timer));
    }
    for (const auto& [name, sequence] :
         ask<std::vector<std::pair<std::string, Sequence>>>([](Reader& reader) { return reader.cursors(); })) {
      MYDR24_TRY(transaction.set_cursor(name, sequence));
    }
    return {};
  }));
  const auto history_before = history({});
  EXPECT_FALSE((*copy)->write(RequestClass::background, [&](Transaction& transaction) {
    return transaction.replay({.version = {}, .event = {.sequence = 1, .kind = "late"}}, nullptr, {}, {});
  }));
  std::swap(store_, *copy);
  EXPECT_EQ(history({}), history_before);
  EXPECT_EQ(ask<std::vector<Event>>([](Reader& reader) { return reader.events(0, 10); }).size(), 1U);
  const auto states = ask<std::vector<SpaceRow>>([](Reader& reader) { return reader.all_states("a", "k1", 10); });
  ASSERT_EQ(states.size(), 1U);
  EXPECT_EQ(states[0].row.value, "v2");
  EXPECT_EQ(ask<std::vector<Timer>>([](Reader& reader) { return reader.all_timers("", 10); }).at(0).payload, "p");
  expect_as_meant("Patient", {});
  expect_as_meant("Patient", {{"family", "back"}});
  expect_as_meant("Observation", {{"_content", "pressure"}});
  expect_sound(*store_);
  std::swap(store_, *copy);
}

// A deployment's own parameter: rows are written and found once it has been learnt.
TEST_P(StoreMoreContract, ALearntParameterIsSearchedLikeAnyOther) {
  const std::vector<search::CustomParameter> added{
      {.url = "http://x.org/p",
       .code = "eye-colour",
       .kind = "string",
       .expression = "Patient.extension.where(url='eye').value.ofType(string)",
       .bases = {"Patient"}}};
  const auto catalogue = search::with_parameters(nullptr, added);
  ASSERT_TRUE(catalogue) << catalogue.error().text;
  ASSERT_TRUE(store_->learn(*catalogue));
  const auto text = resource("Patient", "a", R"("extension":[{"url":"eye","valueString":"Green"}])");
  const auto write_it = [&](std::string_view body) {
    return store_->write(RequestClass::routine, [&](Transaction& transaction) -> Result<> {
      const auto entries = [&](std::string_view of) {
        const auto document = json::Document::parse_view(of);
        return of.empty() ? std::vector<search::IndexEntry>() : search::extract(document->root(), catalogue->get());
      };
      const auto packed = store_->pack(text, 1);
      const auto before = entries(body.empty() ? std::string_view(text) : "");
      const auto after = entries(body);
      MYDR24_TRY(transaction.put({.type = "Patient",
                                  .id = "a",
                                  .action = body.empty() ? Action::remove : Action::create,
                                  .body = body.empty() ? nullptr : &packed,
                                  .entries = after,
                                  .entries_before = before}));
      return {};
    });
  };
  ASSERT_TRUE(write_it(text));
  auto query =
      search::parse_query("Patient", Asked{{"eye-colour", "gre"}}, search::ParseOptions{.catalogue = *catalogue});
  ASSERT_TRUE(query);
  EXPECT_EQ(found(*query), "a");
  reopen();
  ASSERT_TRUE(store_->learn(*catalogue));
  EXPECT_EQ(found(*query), "a");
  ASSERT_TRUE(write_it(""));
  EXPECT_EQ(found(*query), "");
}

}  // namespace mydr24::store
