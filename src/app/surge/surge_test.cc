#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>

#include "app/load/webhook.h"
#include "app/surge/answer_scanner.h"
#include "app/surge/arrivals.h"
#include "app/surge/bench.h"
#include "app/surge/open_loop.h"
#include "app/surge/scenario.h"
#include "app/surge/special_cells.h"

namespace mydr24::surge {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

std::vector<nanoseconds> all_of(Arrivals arrivals) {
  std::vector<nanoseconds> times;
  for (auto at = arrivals.next(); at != Arrivals::never; at = arrivals.next()) times.push_back(at);
  return times;
}

TEST(Arrivals, TheSameSeedGivesTheSameTimesAndAnotherSeedOthers) {
  const std::vector<Phase> phases{{1, 500}};
  EXPECT_EQ(all_of({phases, Pace::poisson, 7}), all_of({phases, Pace::poisson, 7}));
  EXPECT_NE(all_of({phases, Pace::poisson, 7}), all_of({phases, Pace::poisson, 8}));
}

TEST(Arrivals, PoissonHasItsRateAndItsSpread) {
  const auto times = all_of({{{20, 1000}}, Pace::poisson, 24});
  EXPECT_NEAR(static_cast<double>(times.size()), 20'000, 4 * std::sqrt(20'000.0));
  // The gaps of independent arrivals deviate as much as they are long.
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double gap = std::chrono::duration<double>(times[i] - times[i - 1]).count();
    sum += gap;
    squares += gap * gap;
  }
  const auto count = static_cast<double>(times.size() - 1);
  const double mean = sum / count;
  EXPECT_NEAR(std::sqrt(squares / count - mean * mean) / mean, 1, 0.05);
}

TEST(Arrivals, ConstantGapsAreEvenAcrossPhases) {
  const auto times = all_of({{{1, 10}, {1, 20}}, Pace::constant, 1});
  ASSERT_EQ(times.size(), 29U);  // the thirtieth falls on the end
  EXPECT_NEAR(std::chrono::duration<double>(times[5] - times[4]).count(), 0.1, 1e-6);
  EXPECT_NEAR(std::chrono::duration<double>(times[15] - times[14]).count(), 0.05, 1e-6);
}

TEST(Arrivals, NothingArrivesInSilence) {
  for (const auto at : all_of({{{1, 100}, {2, 0}, {1, 100}}, Pace::poisson, 3})) {
    const double second = std::chrono::duration<double>(at).count();
    EXPECT_TRUE(second <= 1 || second >= 3) << second;
    EXPECT_LE(second, 4);
  }
}

TEST(LoadSpec, TravelsAsJson) {
  LoadSpec spec{.name = "urgent",
                .endpoint = {"127.0.0.1", 8024},
                .tls = true,
                .mix = {{Kind::vital, 0.25}, {Kind::history, 0.75}},
                .phases = {{1.5, 100}, {2, 0}},
                .pace = Pace::constant,
                .retry = Retry::budget,
                .warm_up_s = 0.5,
                .seed = 99,
                .connections = 12,
                .sources = 3,
                .timeout = milliseconds(750),
                .patients = 8,
                .patient_prefix = "p",
                .alarm_prefix = "a",
                .headers = "Authorization: Bearer x\r\n",
                .fifo = 4,
                .keep_times = true};
  const auto read = parse_load_spec(to_json(spec));
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(to_json(*read), to_json(spec));
  EXPECT_EQ(read->headers, spec.headers);
}

TEST(LoadSpec, WhatIsNoSpecIsRefused) {
  const LoadSpec good{.name = "x", .endpoint = {"127.0.0.1", 1}, .mix = {{Kind::read, 1}}, .phases = {{1, 1}}};
  ASSERT_TRUE(parse_load_spec(to_json(good)));
  const auto changed = [&](std::string_view from, std::string_view to) {
    std::string text = to_json(good);
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& text :
       {std::string("{}"), std::string("nothing"), changed("\"read\"", "\"dance\""), changed("\"none\"", "\"always\""),
        changed("\"timeout_ms\":1000", "\"timeout_ms\":0"), changed("\"connections\":64", "\"connections\":-4")})
    EXPECT_FALSE(parse_load_spec(text)) << text;
}

TEST(LoadResult, TravelsAsJsonAndAddsUp) {
  LoadResult result;
  result.name = "routine";
  result.offered = 3;
  result.outcomes = {1, 1, 0, 1, 0};
  result.served_by_kind[3] = 1;
  result.attempts = 4;
  result.answers_503 = 2;
  result.served.record(milliseconds(3));
  result.refused.record(milliseconds(90));
  result.lateness.record(std::chrono::microseconds(30));
  result.due_s = {2, 1};
  result.good_s = {0, 1};
  result.seconds = 2;
  result.first_problem = "read: \"x\"";
  result.times = {{"a-1", 12345678901234}};
  auto read = parse_load_result(to_json(result));
  ASSERT_TRUE(read);
  EXPECT_EQ(to_json(*read), to_json(result));
  read->add(result);
  EXPECT_EQ(read->offered, 6U);
  EXPECT_EQ(read->served.count(), 2U);
  EXPECT_DOUBLE_EQ(read->good_per_s(), 0.5);
  EXPECT_EQ(read->due_s, (std::vector<std::uint64_t>{4, 2}));
  EXPECT_FALSE(parse_load_result("the connection was refused"));
}

TEST(LoadResult, ARequestThatWasNotServedIsInfinitelyLate) {
  LoadResult result;
  result.offered = 100;
  for (int i = 1; i <= 98; ++i) result.served.record(milliseconds(i));
  EXPECT_NEAR(result.all_quantile_ms(0.5), 50, 0.1);
  EXPECT_NEAR(result.all_quantile_ms(0.98), 98, 0.1);
  EXPECT_EQ(result.all_quantile_ms(0.99), -1);
}

AnswerScanner::State feed_all(AnswerScanner& scanner, std::string_view bytes, std::size_t piece) {
  auto state = AnswerScanner::State::more;
  while (!bytes.empty() && state == AnswerScanner::State::more) {
    std::string_view part = bytes.substr(0, piece);
    const std::size_t before = part.size();
    state = scanner.feed(part);
    bytes.remove_prefix(before - part.size());
  }
  return state;
}

TEST(AnswerScanner, FindsTheEndHoweverTheAnswerIsCut) {
  const std::vector<std::pair<std::string, int>> answers{
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204},
      {"HTTP/1.1 503 Service Unavailable\r\nretry-after: 7\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 503},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\n\r\n", 200}};
  for (const auto& [text, status] : answers) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      AnswerScanner scanner;
      EXPECT_EQ(feed_all(scanner, text, piece), AnswerScanner::State::complete) << piece << ' ' << text;
      EXPECT_EQ(scanner.status(), status);
      EXPECT_EQ(scanner.close(), status == 503);
      EXPECT_EQ(scanner.retry_after_s(), status == 503 ? 7 : 0);
    }
  }
}

TEST(AnswerScanner, LeavesWhatComesBehindTheAnswer) {
  AnswerScanner scanner;
  std::string_view bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 204";
  EXPECT_EQ(scanner.feed(bytes), AnswerScanner::State::complete);
  EXPECT_EQ(bytes, "HTTP/1.1 204");
}

TEST(AnswerScanner, RefusesWhatIsNoAnswer) {
  for (const std::string_view text : {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
                                      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    AnswerScanner scanner;
    EXPECT_EQ(feed_all(scanner, text, text.size()), AnswerScanner::State::broken) << text;
  }
}

// The receiver doubles as a server that answers everything with one status.
LoadSpec spec_for(const load::WebhookReceiver& receiver, double per_second) {
  return {.name = "test",
          .endpoint = *load::parse_endpoint(receiver.url()),
          .mix = {{Kind::work, 1}},
          .phases = {{0.2, per_second}},
          .connections = 4,
          .timeout = milliseconds(300),
          .patient_prefix = "p"};
}

LoadResult run(const LoadSpec& spec) {
  OpenLoop loop(spec, system_clock());
  const auto connected = loop.connect();
  EXPECT_TRUE(connected) << connected.error().text;
  return loop.run(system_clock().steady());
}

std::uint64_t sum(const std::array<std::uint64_t, outcome_count>& outcomes) {
  std::uint64_t all = 0;
  for (const std::uint64_t count : outcomes) all += count;
  return all;
}

TEST(OpenLoop, EveryRequestOfTheProfileIsAsked) {
  const load::WebhookReceiver receiver;
  const LoadSpec spec = spec_for(receiver, 500);
  const LoadResult result = run(spec);
  EXPECT_EQ(result.offered, all_of({spec.phases, spec.pace, spec.seed}).size());
  EXPECT_EQ(result.count(Outcome::served), result.offered);
  EXPECT_EQ(result.served.count(), result.offered);
  EXPECT_EQ(receiver.deliveries().size(), result.offered + spec.connections);
}

TEST(OpenLoop, AConnectionForEachRequest) {
  const load::WebhookReceiver receiver;
  LoadSpec spec = spec_for(receiver, 200);
  spec.connection_per_request = true;
  const LoadResult result = run(spec);
  EXPECT_EQ(result.count(Outcome::served), result.offered);
  EXPECT_GT(result.offered, 10U);
}

TEST(OpenLoop, RefusalsAreOutcomesAndAreTriedAgainWhenAsked) {
  load::WebhookReceiver receiver;
  LoadSpec spec = spec_for(receiver, 200);
  OpenLoop loop(spec, system_clock());
  ASSERT_TRUE(loop.connect());
  receiver.answer_with(503);
  const LoadResult once = loop.run(system_clock().steady());
  EXPECT_EQ(once.count(Outcome::refused), once.offered);
  EXPECT_EQ(once.attempts, once.offered);
  spec.retry = Retry::immediate;
  const LoadResult thrice = run(spec);
  EXPECT_GT(thrice.attempts, 2 * thrice.offered);
  EXPECT_LE(thrice.attempts, 3 * thrice.offered);
  spec.retry = Retry::budget;
  const LoadResult thrifty = run(spec);
  EXPECT_LE(thrifty.attempts, thrifty.offered + thrifty.offered / 10 + 1);
}

TEST(OpenLoop, AServerThatNeverAnswersLeavesOnlyTimeouts) {
  // Connections are taken by the kernel; nobody reads them.
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 64), 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const LoadSpec spec{.name = "test",
                      .endpoint = {"127.0.0.1", ntohs(address.sin_port)},
                      .connection_per_request = true,
                      .mix = {{Kind::work, 1}},
                      .phases = {{0.2, 100}},
                      .connections = 3,
                      .timeout = milliseconds(100)};
  OpenLoop loop(spec, system_clock());
  const auto begin = system_clock().steady();
  const LoadResult result = loop.run(begin);
  EXPECT_GT(result.offered, 5U);
  EXPECT_EQ(result.count(Outcome::timeout), result.offered);
  EXPECT_EQ(sum(result.outcomes), result.offered);
  EXPECT_LT(system_clock().steady() - begin, std::chrono::seconds(2));
  ::close(listener);
}

TEST(OpenLoop, WithoutAServerRequestsAreBroken) {
  std::string url;
  {
    const load::WebhookReceiver gone;
    url = gone.url();
  }
  LoadSpec spec{.name = "test",
                .endpoint = *load::parse_endpoint(url),
                .connection_per_request = true,
                .mix = {{Kind::work, 1}},
                .phases = {{0.1, 100}}};
  OpenLoop loop(spec, system_clock());
  const LoadResult result = loop.run(system_clock().steady());
  EXPECT_EQ(result.count(Outcome::broken), result.offered);
  EXPECT_FALSE(result.first_problem.empty());
  spec.connection_per_request = false;
  OpenLoop kept(spec, system_clock());
  EXPECT_FALSE(kept.connect());
}

TEST(Recovery, IsTheTimeUntilTheServedRateIsBack) {
  // Two seconds of 100 before the pulse (2 to 4), then what is listed.
  const auto after = [](std::vector<std::uint64_t> tail) {
    std::vector<std::uint64_t> all{100, 100, 50, 50};
    all.insert(all.end(), tail.begin(), tail.end());
    return recovery_s(all, 0, 2, 4);
  };
  EXPECT_EQ(after({100, 100, 100}), 0);
  EXPECT_EQ(after({0, 98, 96, 97}), 1);
  EXPECT_EQ(after({10, 150, 20, 99, 99}), 3);
  EXPECT_EQ(after({10, 10, 10}), 3);
}

CellResult cell_of(std::string name, Mode mode, double emergency_ms, double rest_good, std::uint64_t failed = 0) {
  CellResult cell{.cell = std::move(name), .mode = mode, .seconds = 10};
  cell.use.seconds = 10;
  LoadResult emergency;
  emergency.name = "emergency";
  emergency.offered = 1000;
  emergency.seconds = 10;
  for (std::uint64_t i = failed; i < emergency.offered; ++i)
    emergency.served.record(std::chrono::microseconds(static_cast<int>(emergency_ms * 1000)));
  emergency.outcomes[0] = emergency.offered - failed;
  LoadResult routine;
  routine.name = "routine";
  routine.seconds = 10;
  routine.offered = routine.outcomes[0] = static_cast<std::uint64_t>(rest_good * 10);
  routine.served_by_kind[static_cast<std::size_t>(Kind::work)] = routine.offered;
  cell.classes = {emergency, routine};
  if (cell.cell != "0x") cell.multiple = 10;
  return cell;
}

TEST(Bars, AreMissedForTheReasonsTheyAreThere) {
  const Capacity capacity{.rest_per_s = 900, .counted_per_s = 1000};
  const CellResult unloaded = cell_of("0x", Mode::unprivileged, 2, 0);
  const auto missed = [&](const CellResult& cell) { return missed_bars(cell, &unloaded, capacity); };
  EXPECT_TRUE(missed(cell_of("10x", Mode::unprivileged, 4.9, 700)).empty());
  EXPECT_EQ(missed(cell_of("10x", Mode::unprivileged, 5.2, 700)).size(), 1U);
  EXPECT_EQ(missed(cell_of("10x", Mode::unprivileged, 4.9, 600)).size(), 1U);
  EXPECT_EQ(missed(cell_of("10x", Mode::unprivileged, 4.9, 700, 1)).size(), 1U);
  EXPECT_EQ(missed(cell_of("10x", Mode::naive, 4.9, 300, 500)).size(), 3U);
  CellResult idle = cell_of("idle", Mode::full, 2, 0);
  idle.multiple = 0;
  idle.figures["idle_bytes"] = 1600;
  EXPECT_EQ(missed(idle).size(), 1U);
}

TEST(Bars, ARefusalCostsWhatTheThreadsThatRefuseTake) {
  CellResult cell = cell_of("100x", Mode::full, 2, 200);
  EXPECT_EQ(refusal_cpu_us(cell), 0);
  cell.use.threads_s = {{"io", 7}, {"work", 2}, {"em-io", 1}};
  cell.classes[1].answers_503 = 700'000;
  EXPECT_NEAR(refusal_cpu_us(cell), 10, 0.01);
}

TEST(Bars, GoodputCountsWorkAndNotReads) {
  CellResult cell = cell_of("10x", Mode::full, 2, 300);
  cell.classes[1].outcomes[0] += 100'000;
  cell.classes[1].served_by_kind[static_cast<std::size_t>(Kind::read)] = 100'000;
  EXPECT_NEAR(cell.counted_per_s(), 400, 0.1);
  EXPECT_GT(cell.good_per_s(), 10'000);
}

TEST(Cells, AreKnownByName) {
  EXPECT_TRUE(check_cells({"0x", "0.5x", "120x", "pulse", "idle-tls"}));
  for (const std::string cell : {"x", "-1x", "10", "nanx", "1e9x", "pulses"}) EXPECT_FALSE(check_cells({cell})) << cell;
}

TEST(Report, ACellThatBrokeOffHasNoFiguresAndKeepsThoseOfOthers) {
  BenchReport report{.capacity = {.rest_per_s = 900, .counted_per_s = 1000}, .machine = "test", .cells = {}};
  report.cells = {cell_of("0x", Mode::full, 2, 0), cell_of("10x", Mode::full, 3, 700, 0)};
  report.cells.push_back({.cell = "100x", .mode = Mode::full, .void_because = "a generator did not answer in time"});
  EXPECT_TRUE(report.is_void());
  EXPECT_NE(to_table(report).find("100x full: VOID, a generator did not answer"), std::string::npos);
  const auto figures = key_figures(report);
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(figures, [&](const auto& figure) { return figure.first == name; });
  };
  EXPECT_TRUE(has("emergency_p99_ratio_10x"));
  EXPECT_FALSE(has("emergency_p99_ratio_100x"));
  EXPECT_FALSE(has("goodput_100x"));
}

TEST(Report, TellsCellsAsTableAndJson) {
  BenchReport report{.capacity = {.rest_per_s = 900, .counted_per_s = 1000}, .machine = "test", .cells = {}};
  report.cells = {cell_of("0x", Mode::full, 2, 0), cell_of("10x", Mode::full, 3, 700, 0)};
  report.cells[1].void_because = "the test says so";
  EXPECT_TRUE(report.is_void());
  EXPECT_NE(to_table(report).find("VOID, the test says so"), std::string::npos);
  const std::string json = to_json(report);
  EXPECT_NE(json.find(R"("emergency_p99_ratio_10x":1.5)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("goodput_10x":0.8)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("emergency_failed":0)"), std::string::npos) << json;
}

TEST(Scenarios, HaveTheFactorsTheProjectHoldsCapacityAgainst) {
  for (const auto& [name, multiplier, hours, onset_s] :
       std::vector<std::tuple<std::string_view, double, double, double>>{{"natural-disaster", 50, 72, 300},
                                                                         {"pandemic", 25, 2160, 1800},
                                                                         {"mass-casualty", 100, 24, 180},
                                                                         {"cyber-recovery", 200, 12, 60},
                                                                         {"normal-day", 1, 24, 0}}) {
    const Scenario* scenario = find_scenario(name);
    ASSERT_NE(scenario, nullptr) << name;
    EXPECT_EQ(scenario->multiplier, multiplier);
    EXPECT_EQ(scenario->hours, hours);
    EXPECT_EQ(scenario->onset_s, onset_s);
    double shares = 0;
    for (const ScenarioPart& part : scenario->parts) shares += part.share;
    EXPECT_NEAR(shares, 1, 1e-9);
  }
  EXPECT_EQ(find_scenario("alien-landing"), nullptr);
}

TEST(Scenarios, TheCourseTakesTheTimeOfTheRunAndReachesItsPeak) {
  for (const Scenario& scenario : scenarios()) {
    ScenarioSettings settings;
    settings.multiplier = scenario.multiplier;
    settings.seconds = 30;
    double seconds = 0;
    double peak = 0;
    for (const Phase& phase : course_of(scenario, settings)) {
      EXPECT_GT(phase.seconds, 0);
      seconds += phase.seconds;
      peak = std::max(peak, phase.per_second);
    }
    EXPECT_NEAR(seconds, 30, 1e-9) << scenario.name;
    EXPECT_GE(peak, settings.normal_per_s * scenario.multiplier) << scenario.name;
    EXPECT_EQ(plan_scenario(scenario, settings).size(), scenario.parts.size());
  }
}

TEST(RequestMaker, EveryKindIsOneWholeRequest) {
  for (std::size_t kind = 0; kind < kind_count; ++kind) {
    const LoadSpec spec{.name = kind % 2 == 0 ? "background" : "x",
                        .mix = {{static_cast<Kind>(kind), 1}},
                        .patients = 5,
                        .patient_prefix = "p",
                        .headers = "Authorization: Bearer t\r\n"};
    RequestMaker maker(spec, system_clock());
    std::string text;
    maker.write(maker.next(), text);
    EXPECT_TRUE(text.starts_with("GET ") || text.starts_with("POST ") || text.starts_with("PUT ")) << text;
    const std::size_t body = text.find("\r\n\r\n") + 4;
    EXPECT_LT(text.find("\r\nAuthorization: Bearer t\r\n"), body) << text;
    const std::size_t length = text.find("Content-Length: ");
    const std::size_t said = length == text.npos ? 0 : std::strtoull(text.c_str() + length + 16, nullptr, 10);
    EXPECT_EQ(text.size() - body, said) << text;
  }
}

}  // namespace
}  // namespace mydr24::surge
