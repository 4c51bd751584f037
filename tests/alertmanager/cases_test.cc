// Every case of tests/alertmanager/cases against one program, several at the same time.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "alertmanager/case.h"
#include "alertmanager/target.h"

namespace mydr24::alertmanager {
namespace {

constexpr std::size_t at_once = 12;  // they wait most of the time

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const auto& entry : std::filesystem::directory_iterator("tests/alertmanager/cases"))
    if (entry.path().extension() == ".case") cases.push_back(read_case(entry.path()));
  std::ranges::sort(cases, {}, &Case::name);
  return cases;
}

void run_all(const std::string& target) {
  setenv("GOMAXPROCS", "1", 1);  // many of them share this machine
  const std::vector<Case> cases = all_cases();
  ASSERT_GE(cases.size(), 30U);
  std::vector<Outcome> outcomes(cases.size());
  std::atomic<std::size_t> next = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < at_once; ++i)
    threads.emplace_back([&, i] {
      // Programs that start all at once disturb each other's times.
      std::this_thread::sleep_for(std::chrono::milliseconds(150 * i));
      for (std::size_t mine = next++; mine < cases.size(); mine = next++)
        outcomes[mine] = run_case(cases[mine], target);
    });
  for (std::thread& thread : threads) thread.join();
  std::size_t ran = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (outcomes[i].skipped) {
      fmt::print("not for {}: {} ({})\n", target, cases[i].name, outcomes[i].faults.at(0));
      continue;
    }
    ++ran;
    for (const std::string& fault : outcomes[i].faults)
      ADD_FAILURE() << cases[i].name << " against " << target << ", " << fault << "\n" << cases[i].title;
  }
  fmt::print("{} cases against {}\n", ran, target);
}

TEST(Cases, AgainstOurs) { run_all("ours"); }

TEST(Cases, AgainstTheRealAlertmanager) {
  if (!real_alertmanager()) GTEST_SKIP() << "prometheus-alertmanager is not installed";
  run_all("real");
}

}  // namespace
}  // namespace mydr24::alertmanager
