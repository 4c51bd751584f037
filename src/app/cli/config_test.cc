#include "app/cli/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace mydr24::cli {
namespace {

class ConfigFile : public testing::Test {
 protected:
  ConfigFile() {
    std::string name = "/tmp/mydr24-config-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~ConfigFile() override { std::filesystem::remove_all(folder_); }

  Sources with(const std::string& text) {
    const auto path = folder_ / "m.toml";
    std::ofstream(path) << text;
    return {.file = path};
  }
  std::string file() const { return (folder_ / "m.toml").string(); }
  std::filesystem::path folder_;
};

TEST_F(ConfigFile, WithoutAnySourceEverythingHasItsDefault) {
  const auto config = load_config({});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->settings.server.listen, "127.0.0.1:8024");
  EXPECT_EQ(config->settings.store.cache_mib, 48);
  EXPECT_TRUE(config->origins.empty());
}

TEST_F(ConfigFile, AFlagGoesBeforeTheEnvironmentAndThatBeforeTheFile) {
  Sources sources = with("[server]\nlisten = \"127.0.0.1:1\"\nadmin = \"127.0.0.1:1\"\nthreads = 1\n");
  sources.environment = {{"MYDR24_SERVER__LISTEN", "127.0.0.1:2"}, {"MYDR24_SERVER__ADMIN", "127.0.0.1:2"}};
  sources.flags = {{"server.listen", "127.0.0.1:3"}};
  const auto config = load_config(sources);
  ASSERT_TRUE(config) << config.error()[0].text;
  EXPECT_EQ(config->settings.server.listen, "127.0.0.1:3");
  EXPECT_EQ(config->settings.server.admin, "127.0.0.1:2");
  EXPECT_EQ(config->settings.server.threads, 1);
  EXPECT_EQ(config->origins.at("server.listen"), "flag");
  EXPECT_EQ(config->origins.at("server.admin"), "env MYDR24_SERVER__ADMIN");
  EXPECT_EQ(config->origins.at("server.threads"), file() + ":4");
}

TEST_F(ConfigFile, EveryKeyCanBeSetByItsEnvironmentName) {
  const auto text_for = [](std::string_view name) -> std::string {
    if (name == "notify.link_base" || (name.starts_with("notify.") && name.ends_with("_url")))
      return "https://x.example";
    if (name == "server.call_networks") return "10.1.0.0/16";
    if (name == "console.zone") return "Europe/Berlin";
    return name.starts_with("notify.twilio") && name.ends_with("from") ? "+15551234567" : "x";
  };
  for (const Key& key : keys()) {
    const std::string value = key.form == Key::Form::address ? "127.0.0.1:9"
                              : key.form == Key::Form::choice
                                  ? std::string(key.choices.substr(0, key.choices.find(' ')))
                              : std::holds_alternative<Key::Number>(key.member)
                                  ? std::to_string(std::clamp<std::int64_t>(1024, key.min, key.max))
                                  : text_for(key.name);
    if (key.name.starts_with("server.tls") || key.name == "notify.smtp_host") continue;  // these come in pairs
    const auto config = load_config({.environment = {{environment_name(key.name), value}}});
    ASSERT_TRUE(config) << key.name << ": " << config.error()[0].text;
    EXPECT_EQ(config->origins.size(), 1) << key.name;
    EXPECT_FALSE(key.doc.empty());
  }
}

TEST_F(ConfigFile, NetworksThatMayBeCalledAreCheckedAtTheStart) {
  EXPECT_TRUE(load_config(with("[server]\ncall_networks = \"10.1.0.0/16, fd12::/16\"\n")));
  const auto wrong = load_config(with("[server]\ncall_networks = \"10.1.0.0/99\"\n"));
  ASSERT_FALSE(wrong);
  EXPECT_TRUE(wrong.error()[0].text.contains("server.call_networks")) << wrong.error()[0].text;
}

TEST_F(ConfigFile, ContactsAndStepsComeFromTheFile) {
  const auto config =
      load_config(with("[alerting]\n"
                       "escalate_after_s = 45\n"
                       "steps = [[\"nurse\"], [\"doctor\", \"matron\"]]\n"
                       "[[alerting.contacts]]\nname = \"nurse\"\nwebhook_url = \"https://hooks.example/T0/secret\"\n"
                       "[[alerting.contacts]]\nname = \"doctor\"\nwebhook_secret_file = \"/etc/secret\"\n"
                       "[[alerting.contacts]]\nname = \"matron\"\n"));
  ASSERT_TRUE(config) << config.error()[0].text;
  const auto& alerting = config->settings.alerting;
  ASSERT_EQ(alerting.contacts.size(), 3);
  EXPECT_EQ(alerting.contacts[1].webhook_secret_file, "/etc/secret");
  ASSERT_EQ(alerting.steps.size(), 2);
  EXPECT_EQ(alerting.steps[1], (std::vector<std::string>{"doctor", "matron"}));
  EXPECT_EQ(alerting.escalate_after_s, 45);
}

TEST_F(ConfigFile, TheSecretPartOfAWebhookIsNeverShown) {
  const auto config = load_config(
      with("[[alerting.contacts]]\nname = \"nurse\"\nwebhook_url = \"https://hooks.example/T0/secret?token=x\"\n"));
  ASSERT_TRUE(config) << config.error()[0].text;
  std::string shown;
  for (const ShownValue& value : show(*config, true)) shown += value.name + "=" + value.value + "\n";
  EXPECT_NE(shown.find("https://hooks.example/..."), shown.npos) << shown;
  EXPECT_EQ(shown.find("secret?"), shown.npos);
  EXPECT_EQ(shown.find("T0"), shown.npos);
  // Nor in an error about it.
  const auto wrong =
      load_config(with("[[alerting.contacts]]\nname = \"nurse\"\nwebhook_url = \"https://u:p@hooks.example/T0\"\n"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error()[0].text.find("u:p"), std::string::npos) << wrong.error()[0].text;
  EXPECT_EQ(wrong.error()[0].text.find("T0"), std::string::npos) << wrong.error()[0].text;
}

TEST_F(ConfigFile, ListsMayComeFromTheEnvironmentAsToml) {
  const auto config = load_config({.environment = {{"MYDR24_ALERTING__STEPS", R"([["nurse"]])"},
                                                   {"MYDR24_ALERTING__CONTACTS", R"([{name = "nurse"}])"}}});
  ASSERT_TRUE(config) << config.error()[0].text;
  EXPECT_EQ(config->settings.alerting.steps[0][0], "nurse");
  EXPECT_EQ(config->origins.at("alerting.contacts"), "env MYDR24_ALERTING__CONTACTS");
}

struct WrongCase {
  const char* text;
  const char* where;  // behind the file's name
  const char* says;
};

TEST_F(ConfigFile, WhatIsWrongIsNamedWithFileAndLine) {
  const std::vector<WrongCase> cases{
      {"[server]\nlissten = \"a:1\"\n", ":2", "unknown key 'lissten' in [server]; did you mean 'listen'?"},
      {"[srver]\n", ":1", "unknown table [srver]; did you mean 'server'?"},
      {"server = 1\n", ":1", "'server' must be a table: write [server]"},
      {"[server]\n\nthreads = \"two\"\n", ":3", "server.threads must be a whole number, not a text"},
      {"[server]\nlisten = 8024\n", ":2", "server.listen must be a text, not a whole number"},
      {"[server]\nlisten = \"8024\"\n", ":2", "must be address:port"},
      {"[server]\nlisten = \"host:99999\"\n", ":2", "must be address:port"},
      {"[store]\ncache_mib = 0\n", ":2", "must be from 1 to"},
      {"[store]\npath = \"\"\n", ":2", "must name a folder"},
      {"[log]\nlevel = \"loud\"\n", ":2", "must be one of: debug info warn error"},
      {"[log]\nlevel = \"info warn\"\n", ":2", "must be one of"},
      {"[console]\nzone = \"Europe/Atlantis\"\n", ":2", "no time zone"},
      {"[alerting]\nsteps = [\"nurse\"]\n", ":2", "must be a list of lists"},
      {"[alerting]\nsteps = [[\"nurse\"]]\n", ":2", "no contact is named 'nurse'"},
      {"[alerting]\ncontacts = 3\n", ":2", "must be tables"},
      {"[[alerting.contacts]]\nname = \"a\"\nurl = \"x\"\n", ":3", "unknown key 'url' of a contact"},
      {"[[alerting.contacts]]\nname = 1\n", ":2", "name must be a text"},
      {"[[alerting.contacts]]\nname = \"a\"\nwebhook_url = \"nonsense\"\n", "", "webhook_url of 'a'"},
      {"[[alerting.contacts]]\nname = \"a\"\n[[alerting.contacts]]\nname = \"a\"\n", "", "two contacts are named 'a'"},
      {"[server]\ntls_key_file = \"k.pem\"\n", ":2", "belong together"},
      {"[server]\ntls_client_ca_file = \"ca.pem\"\n", ":2", "needs HTTPS"},
      {"[server\n", ":1", ""},
      {"[server]\nlisten = \"a:1\"\nlisten = \"a:2\"\n", ":3", ""},
  };
  for (const WrongCase& wrong : cases) {
    const auto config = load_config(with(wrong.text));
    ASSERT_FALSE(config) << wrong.text;
    EXPECT_NE(config.error()[0].text.find(wrong.says), std::string::npos) << wrong.text << config.error()[0].text;
    EXPECT_TRUE(config.error()[0].where.starts_with(file() + wrong.where)) << wrong.text << config.error()[0].where;
  }
}

TEST_F(ConfigFile, AllProblemsAreFoundInOneGo) {
  const auto config = load_config(with("[server]\nthreads = \"x\"\nworkers = \"y\"\n[store]\ncache = 1\n"));
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().size(), 3);
}

TEST_F(ConfigFile, AnUnknownVariableOfOursIsAnErrorAndOthersAreNot) {
  const auto config = load_config({.environment = {{"MYDR24_SERVER__LISEN", "a:1"}}});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error()[0].where, "env MYDR24_SERVER__LISEN");
  EXPECT_NE(config.error()[0].text.find("MYDR24_SERVER__LISTEN"), std::string::npos);
  EXPECT_TRUE(load_config({.environment = {{"PATH", "/bin"}, {"MYDR24_CONFIG", "x"}, {"OTHER__KEY", "1"}}}));
  EXPECT_FALSE(load_config({.environment = {{"MYDR24_SERVER__THREADS", "two"}}}));
  EXPECT_FALSE(load_config({.environment = {{"MYDR24_ALERTING__STEPS", "[["}}}));
}

TEST_F(ConfigFile, TheFileIsTheFlagsElseTheEnvironments) {
  EXPECT_EQ(config_file("a.toml", {{"MYDR24_CONFIG", "b.toml"}}), "a.toml");
  EXPECT_EQ(config_file("", {{"MYDR24_CONFIG", "b.toml"}}), "b.toml");
  const auto missing = load_config({.file = folder_ / "none.toml"});
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error()[0].text.find("cannot be read"), std::string::npos);
}

TEST_F(ConfigFile, TenantsAreReadAndEachMistakeIsNamedWithItsLine) {
  const auto config =
      load_config(with("[[tenants]]\nname = \"north\"\nhosts = [\"n.example\"]\ntier = \"enterprise\"\n"
                       "requests_per_s = 7\n[[tenants]]\nname = \"south\"\nhosts = [\"s.example\"]\n"));
  ASSERT_TRUE(config);
  ASSERT_EQ(config->settings.tenants.size(), 2U);
  EXPECT_EQ(config->settings.tenants[0].tier, "enterprise");
  EXPECT_EQ(config->settings.tenants[0].requests_per_s, 7);
  EXPECT_EQ(config->settings.tenants[1].hosts, std::vector<std::string>{"s.example"});

  struct Wrong {
    std::string text, line, says;
  };
  const std::vector<Wrong> all{
      {"tenants = 1\n", ":1", "[[tenants]]"},
      {"[[tenants]]\nname = 3\n", ":2", "name must be a text"},
      {"[[tenants]]\nname = \"a\"\nzone = \"Europe/Atlantis\"\n", ":3", "no time zone"},
      {"[[tenants]]\nnam = \"x\"\n", ":2", "did you mean 'name'"},
      {"[[tenants]]\nname = \"x\"\nhosts = \"h\"\n", ":3", "must be a list"},
      {"[[tenants]]\nname = \"x\"\nhosts = [1]\n", ":3", "must be a text"},
      {"[[tenants]]\nname = \"x\"\nstorage_mib = -2\n", ":3", "whole number"},
      {"[[tenants]]\nname = \"x\"\nhosts = [\"h\"]\ntier = \"gold\"\n", ":1", "no tier 'gold'"},
  };
  for (const auto& wrong : all) {
    const auto refused = load_config(with(wrong.text));
    ASSERT_FALSE(refused) << wrong.text;
    EXPECT_TRUE(refused.error()[0].where.ends_with(wrong.line)) << refused.error()[0].where;
    EXPECT_TRUE(refused.error()[0].text.contains(wrong.says)) << refused.error()[0].text;
  }
}

}  // namespace
}  // namespace mydr24::cli
