#include <gtest/gtest.h>

#include "alerting/oncall/rota.h"

namespace mydr24::oncall {
namespace {

Settings two_steps() {
  return {.contacts = {{"nurse", {{notify::Kind::webhook, "https://pager.example.org/nurse", "s1"}, {}}},
                       {"doctor", {{notify::Kind::webhook, "http://127.0.0.1:9/doctor", ""}}}},
          .steps = {{{"nurse"}}, {{"nurse", "doctor"}}}};
}

TEST(Rota, EachStepNamesWhoAnswersAndTheLastOneHoldsForEver) {
  const auto rota = Rota::make(two_steps());
  ASSERT_TRUE(rota) << rota.error().text;
  EXPECT_EQ(rota->steps(), 2U);
  ASSERT_EQ(rota->who_answers(0).size(), 1U);
  EXPECT_EQ(rota->who_answers(0)[0]->name, "nurse");
  ASSERT_EQ(rota->who_answers(1).size(), 2U);
  EXPECT_EQ(rota->who_answers(99)[1]->name, "doctor");
  EXPECT_EQ(rota->find("porter"), nullptr);
}

TEST(Rota, WithoutSettingsTheConsoleIsCalled) {
  const auto rota = Rota::make({});
  ASSERT_TRUE(rota);
  ASSERT_EQ(rota->who_answers(0).size(), 1U);
  EXPECT_EQ(rota->who_answers(0)[0]->channels[0].kind, notify::Kind::console);
}

TEST(Rota, AWrongSettingIsNamed) {
  struct Row {
    void (*spoil)(Settings&);
    std::string_view where;
  };
  for (const Row& row : {
           Row{[](Settings& s) { s.steps[1].contacts[1] = "porter"; }, "oncall.steps[1].contacts[1]"},
           Row{[](Settings& s) { s.steps[0].contacts.clear(); }, "oncall.steps[0].contacts"},
           Row{[](Settings& s) { s.steps.clear(); }, "oncall.steps"},
           Row{[](Settings& s) { s.contacts[1].channels.clear(); }, "oncall.contacts[1].channels"},
           Row{[](Settings& s) { s.contacts[1].name = "nurse"; }, "oncall.contacts[1].name"},
           Row{[](Settings& s) { s.contacts[0].name.clear(); }, "oncall.contacts[0].name"},
           Row{[](Settings& s) { s.contacts[0].channels[0].target = "ftp://x"; },
               "oncall.contacts[0].channels[0].target"},
           Row{[](Settings& s) { s.contacts[0].channels[1].target = "https://x"; },
               "oncall.contacts[0].channels[1].target"},
           Row{[](Settings& s) { s.steps.resize(33, s.steps[0]); }, "oncall.steps"},
       }) {
    Settings settings = two_steps();
    row.spoil(settings);
    const auto rota = Rota::make(std::move(settings));
    ASSERT_FALSE(rota) << row.where;
    EXPECT_EQ(rota.error().code, Code::invalid);
    EXPECT_EQ(rota.error().where, row.where);
  }
}

}  // namespace
}  // namespace mydr24::oncall
