#include "app/cli/cli.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "app/cli/config.h"
#include "app/cli/interrupts.h"
#include "app/cli/terminal.h"
#include "base/json/document.h"
#include "guard/admission/ticket.h"

namespace mydr24::cli {
namespace {

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

Ran run_with(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "mydr24");
  std::ostringstream out;
  std::ostringstream err;
  const int exit = run(static_cast<int>(arguments.size()), arguments.data(), out, err);
  return {exit, out.str(), err.str()};
}

class CliFiles : public testing::Test {
 protected:
  CliFiles() {
    std::string name = "/tmp/mydr24-cli-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~CliFiles() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::filesystem::path folder_;
};

TEST(CommandLine, HelpGoesToStandardOutputAndNamesEveryCommand) {
  const Ran ran = run_with({"--help"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.err, "");
  for (const char* command :
       {"serve", "demo", "simulate", "import", "bench", "vitals", "alert", "doctor", "config", "backup", "version"}) {
    EXPECT_NE(ran.out.find(command), std::string::npos) << command;
  }
}

TEST(CommandLine, EveryCommandHasExamplesInItsHelp) {
  for (const std::vector<const char*>& command : std::vector<std::vector<const char*>>{{"serve"},
                                                                                       {"demo"},
                                                                                       {"simulate"},
                                                                                       {"import"},
                                                                                       {"bench", "surge"},
                                                                                       {"doctor"},
                                                                                       {"vitals", "score"},
                                                                                       {"vitals", "rules", "list"},
                                                                                       {"vitals", "rules", "add"},
                                                                                       {"vitals", "limits", "set"},
                                                                                       {"vitals", "dry-run"},
                                                                                       {"vitals", "crowding"},
                                                                                       {"config", "show"},
                                                                                       {"config", "validate"},
                                                                                       {"config", "example"},
                                                                                       {"backup", "create"},
                                                                                       {"backup", "verify"}}) {
    auto arguments = command;
    arguments.push_back("--help");
    const Ran ran = run_with(arguments);
    EXPECT_EQ(ran.exit, 0) << command[0];
    EXPECT_NE(ran.out.find("Example"), std::string::npos) << command[0] << "\n" << ran.out;
    EXPECT_NE(ran.out.find("mydr24 "), std::string::npos) << command[0];
  }
}

struct UsageCase {
  std::vector<const char*> arguments;
  const char* says;
};

TEST(CommandLine, WhatCannotBeReadIsExitCode2AndSaysWhatToDo) {
  const std::vector<UsageCase> cases{
      {{}, "See: mydr24 --help"},
      {{"srve"}, "did you mean 'serve'?"},
      {{"import"}, "say what to import"},
      {{"import", "x", "--server", "http://h", "--data", "d"}, "exclude each other"},
      {{"serve", "--nonsense"}, "See: mydr24 serve --help"},
      {{"demo", "--patients", "0"}, "--patients"},
      {{"demo", "--patients", "many"}, "--patients"},
      {{"demo", "--pace", "fast"}, "--pace"},
      {{"demo", "--pace", "-1"}, "--pace"},
      {{"simulate"}, "--server URL or --out FOLDER"},
      {{"simulate", "--out", "/nowhere", "--interval", "soon"}, "'soon' is no duration"},
      {{"vitals", "score"}, "file"},
      {{"backup", "create"}, "to"},
      {{"simulate", "--scenario", "flood", "--server", "http://127.0.0.1:1"}, "there are normal-day, mass-casualty"},
      {{"simulate", "--scenario", "pandemic"}, "say which server"},
      {{"simulate", "--scenario", "pandemic", "--server", "http://10.0.0.1:80"}, "add --remote"},
      {{"simulate", "--scenario", "pandemic", "--server", "http://127.0.0.1:1", "--for", "2h"}, "at most an hour"},
      {{"simulate", "--multiplier", "5", "--server", "http://127.0.0.1:1"}, "--scenario"},
      {{"bench"}, "See: mydr24 bench --help"},
      {{"bench", "surge", "--cells", "10x,tsunami"}, "there is no cell \"tsunami\""},
      {{"bench", "surge", "--modes", "lazy"}, "there are naive, full, unprivileged"},
  };
  for (const UsageCase& usage : cases) {
    const Ran ran = run_with(usage.arguments);
    EXPECT_EQ(ran.exit, 2) << usage.says << ran.err;
    EXPECT_EQ(ran.out, "") << usage.says;
    EXPECT_NE(ran.err.find(usage.says), std::string::npos) << usage.says << "\n" << ran.err;
  }
}

TEST(CommandLine, VersionIsOneJsonObjectWithASchema) {
  const Ran ran = run_with({"version", "--json"});
  EXPECT_EQ(ran.exit, 0);
  const auto document = json::Document::parse(ran.out);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root()["schema"].text(), "mydr24.version.v1");
  EXPECT_EQ(document->root()["fhir"].text(), "4.0.1");
}

TEST_F(CliFiles, ATicketIsOneThatTheServerTakes) {
  const std::string key = "a key of more than sixteen bytes";
  const auto file = write("key", key + "\n");
  const Ran ran = run_with({"ticket", "--key-file", file.c_str(), "--class", "urgent", "--tenant", "ward-7"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  const auto text = ran.out.substr(0, ran.out.size() - 1);
  const auto now = system_clock().now();
  const auto ticket = admission::check_ticket(key, text, now);
  ASSERT_TRUE(ticket) << text;
  EXPECT_EQ(ticket->raises_to, RequestClass::urgent);
  EXPECT_EQ(ticket->tenant, "ward-7");
  EXPECT_TRUE(admission::check_ticket(key, text, now + std::chrono::minutes(14)));
  EXPECT_FALSE(admission::check_ticket(key, text, now + std::chrono::minutes(16)));
}

TEST_F(CliFiles, ATicketWithoutAKeyOrThatOutlivesTheDayIsRefused) {
  const auto file = write("key", "a key of more than sixteen bytes\n");
  const auto weak = write("weak", "short\n");
  const Ran unsigned_one = run_with({"ticket"});
  EXPECT_EQ(unsigned_one.exit, 6);
  EXPECT_NE(unsigned_one.err.find("--key-file"), std::string::npos) << unsigned_one.err;
  const Ran forever = run_with({"ticket", "--key-file", file.c_str(), "--valid", "48h"});
  EXPECT_EQ(forever.exit, 6);
  EXPECT_NE(forever.err.find("24h"), std::string::npos) << forever.err;
  const Ran guessable = run_with({"ticket", "--key-file", weak.c_str()});
  EXPECT_EQ(guessable.exit, 6);
  EXPECT_NE(guessable.err.find("16 bytes"), std::string::npos) << guessable.err;
}

TEST(CommandLine, AMissingFileIsExitCode3AndAJsonErrorIsAProblem) {
  EXPECT_EQ(run_with({"vitals", "score", "/nowhere.csv"}).exit, 3);
  const Ran ran = run_with({"vitals", "score", "--json", "/nowhere.csv"});
  const auto document = json::Document::parse(ran.out);
  ASSERT_TRUE(document) << ran.out;
  EXPECT_EQ(document->root()["title"].text(), "not-found");
  EXPECT_EQ(ran.err, "");
}

TEST_F(CliFiles, RulesOfVitalSignsAreCheckedAndWhatIsWrongIsNamedByItsLine) {
  const std::string good = write("good.json",
                                 R"({"format":"mydr24.vitals-rules.v1","name":"ward","rules":[
{"id":"e","signal":"spo2","at_most":79,"severity":"emergency","class":"life-threat"}]})");
  EXPECT_EQ(run_with({"vitals", "rules", "validate", good.c_str()}).exit, 0);
  const std::string bad = write("bad.json", "{\"format\":\"mydr24.vitals-rules.v1\",\n\"rules\":[\n{\"id\":\"E\"}]}");
  const Ran ran = run_with({"vitals", "rules", "validate", bad.c_str()});
  EXPECT_EQ(ran.exit, 6);
  EXPECT_NE(ran.err.find("line 3"), std::string::npos) << ran.err;
}

TEST_F(CliFiles, CrowdingIsCalculatedFromAFile) {
  const std::string file = write(
      "ed.json",
      R"({"ed_beds":60,"hospital_beds":400,"patients":35,"ventilated":2,"admitted":19,"longest_admitted_h":3,"longest_waiting_h":2})");
  const Ran ran = run_with({"vitals", "crowding", "nedocs", file.c_str()});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, "NEDOCS 99: extremely busy but not overcrowded\n");
  EXPECT_EQ(run_with({"vitals", "crowding", "cedocs", file.c_str()}).exit, 6);
}

TEST_F(CliFiles, RowsOfVitalSignsAreScored) {
  const std::string file = write("round.csv",
                                 "rr,spo2,oxygen,sbp,pulse,acvpu,temp\n"
                                 "16,97,false,120,70,A,37.0\n"
                                 "26,90,true,88,135,V,39.2\n"
                                 "16,97,false,120,,A,37.0\n");
  const Ran text = run_with({"vitals", "score", file.c_str()});
  EXPECT_EQ(text.exit, 0) << text.err;
  EXPECT_NE(text.out.find("2      0  low"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("3     19  high"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find(">=0"), std::string::npos) << text.out;
  const Ran lines = run_with({"vitals", "score", "--json", file.c_str()});
  EXPECT_EQ(std::ranges::count(lines.out, '\n'), 3);
  EXPECT_TRUE(lines.out.starts_with("{\"line\":2,\"parts\":{")) << lines.out;
  const std::string bad = write("bad.csv", "rr,colour\n16,red\n");
  EXPECT_EQ(run_with({"vitals", "score", bad.c_str()}).exit, 6);
}

TEST_F(CliFiles, TheEffectiveConfigurationShowsValueAndOrigin) {
  const std::string file = write("m.toml", "[store]\ncache_mib = 96\n[log]\nlevel = \"warn\"\n");
  const Ran ran = run_with({"config", "show", "--effective", "--config", file.c_str(), "--listen", "127.0.0.1:0"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  const auto has = [&](const std::string& name, const std::string& value, const std::string& origin) {
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(name + " ")) {
        return line.find(" " + value + " ") != line.npos && line.ends_with(" " + origin);
      }
    }
    return false;
  };
  EXPECT_TRUE(has("store.cache_mib", "96", file + ":2")) << ran.out;
  EXPECT_TRUE(has("log.level", "\"warn\"", file + ":4")) << ran.out;
  EXPECT_TRUE(has("server.listen", "\"127.0.0.1:0\"", "flag")) << ran.out;
  EXPECT_TRUE(has("server.threads", "0", "default")) << ran.out;
  const Ran set = run_with({"config", "show", "--config", file.c_str()});
  EXPECT_EQ(std::ranges::count(set.out, '\n'), 2) << set.out;
}

TEST_F(CliFiles, AWrongFileIsExitCode6WithEveryProblemOnALine) {
  const std::string file = write("m.toml", "[server]\nlissten = \"x\"\nthreads = \"two\"\n[stoer]\npath = 1\n");
  const Ran ran = run_with({"config", "validate", "--config", file.c_str()});
  EXPECT_EQ(ran.exit, 6);
  EXPECT_NE(ran.err.find(file + ":2: unknown key 'lissten' in [server]; did you mean 'listen'?"), std::string::npos)
      << ran.err;
  EXPECT_NE(ran.err.find(file + ":3: server.threads must be a whole number, not a text"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("unknown table [stoer]; did you mean 'store'?"), std::string::npos) << ran.err;
}

TEST_F(CliFiles, TheExampleFileIsValidAndSetsNothing) {
  const std::string file = write("example.toml", example_file());
  const auto config = load_config({.file = file});
  ASSERT_TRUE(config) << config.error()[0].text;
  EXPECT_TRUE(config->origins.empty());
  // And with every '#' before a key taken away it says the defaults.
  std::string all;
  std::istringstream lines(example_file());
  for (std::string line; std::getline(lines, line);) {
    all += line.size() > 1 && line[0] == '#' && line[1] != ' ' ? line.substr(1) : line;
    all += '\n';
  }
  const auto step = all.find("[[\"ward nurse\"]");
  ASSERT_NE(step, all.npos);
  all.replace(all.find("steps = "), all.find('\n', step) - all.find("steps = "), "steps = []");
  const auto full = load_config({.file = write("full.toml", all)});
  ASSERT_TRUE(full) << full.error()[0].where << full.error()[0].text << all;
  EXPECT_EQ(full->settings.server.listen, server::Settings().server.listen);
}

TEST(Text, NumbersAndDurationsReadAndWriteAsPeopleDo) {
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(-123), "-123");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(clock_text(std::chrono::seconds(51)), "0:51");
  EXPECT_EQ(clock_text(std::chrono::seconds(3 * 3600 + 7 * 60)), "3:07:00");
  EXPECT_EQ(parse_duration("1h30m")->count(), 5'400'000);
  EXPECT_EQ(parse_duration("250ms")->count(), 250);
  EXPECT_EQ(parse_duration("15")->count(), 15'000);
  for (const char* wrong : {"", "x", "5x", "-5s", "5s-", "99999999h", "s"})
    EXPECT_FALSE(parse_duration(wrong)) << wrong;
  EXPECT_EQ(nearest("lissten", {"listen", "level"}), "listen");
  EXPECT_EQ(nearest("zzz", {"listen", "level"}), "");
}

TEST(Interrupts, TheFirstSignalAsksAndCanBeWaitedFor) {
  Interrupts interrupts;
  EXPECT_FALSE(interrupts.wait_for(std::chrono::milliseconds(1)));
  ::kill(::getpid(), SIGTERM);
  interrupts.wait();
  EXPECT_TRUE(interrupts.asked());
}

}  // namespace
}  // namespace mydr24::cli
