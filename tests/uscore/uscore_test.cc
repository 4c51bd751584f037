// The searches that US Core requires, each asked with values of the guide's own examples: the answer must be exactly the
// examples that satisfy it. Requirements: the guide's table of search requirements (what is asked for by type and
// parameters, with SHALL, SHOULD or MAY), and of its general requirements those on how a search may be asked: by POST
// and GET (CONF-0051, 0052), codes with and without system (CONF-0055), references with and without type (CONF-0058).

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "oracle.h"
#include "support/live.h"

namespace mydr24::live {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t examples_max = 4;  // asked for by each requirement
constexpr std::size_t shown_max = 40;    // failures

const fs::path& source() {
  static const fs::path path = "../shared/data/us-core";
  return path;
}

using Row = std::map<std::string, std::string>;

// RFC 4180: fields may be quoted and then hold line breaks; two quotes are one.
std::vector<Row> read_csv(const fs::path& file) {
  const std::string text = load::read_text(file);
  std::vector<std::vector<std::string>> lines(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& field = lines.back().back();
    if (quoted) {
      if (c != '"') {
        field.push_back(c);
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field.push_back(text[++i]);
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      lines.back().emplace_back();
    } else if (c == '\n') {
      lines.emplace_back(1);
    } else if (c != '\r') {
      field.push_back(c);
    }
  }
  std::vector<Row> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    Row row;
    for (std::size_t k = 0; k < std::min(lines[0].size(), lines[i].size()); ++k) row[lines[0][k]] = lines[i][k];
    if (!row["base"].empty()) rows.push_back(std::move(row));
  }
  return rows;
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                       std::string_view("-._~:/,").find(c) != std::string_view::npos;
    if (plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == ',') {
      out.emplace_back();
    } else if (c != ' ') {
      out.back().push_back(c);
    }
  }
  return out;
}

// A string as the value of a parameter: what would separate values is escaped.
std::string escaped(const Element& element, std::string_view value) {
  if (element.kind != Kind::string) return std::string(value);
  std::string out;
  for (const char c : value) {
    if (std::string_view("\\,$|").find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

using Criteria = std::vector<std::pair<const Element*, std::string>>;

class UsCore : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!fs::exists(source() / "search_requirements.csv")) return;
    live_ = std::make_unique<Live>();
    for (const std::string_view name : own_definitions()) put(source() / "resources" / name);
    wait_until_indexed();
    for (const auto& entry : fs::directory_iterator(source() / "examples")) {
      auto document = put(entry.path());
      if (!document) continue;
      // What a Bundle holds is an example of its own.
      for (const json::Value inner : document->root()["entry"]) {
        auto copy = json::Document::parse(std::string(inner["resource"].raw()));
        if (copy && copy->root()["id"].exists() && !stored(copy->root())) store(std::move(*copy), entry.path());
      }
      examples_.push_back(std::move(document));
    }
  }
  static void TearDownTestSuite() {
    live_.reset();
    examples_.clear();
    refused_.clear();
  }
  void SetUp() override {
    if (!live_) GTEST_SKIP() << "no " << source().string() << " beside the repository";
  }

  // The guide's own parameters are refused until they are indexed.
  static void wait_until_indexed() {
    for (const char* search :
         {"Condition?asserted-date=2016", "Encounter?discharge-disposition=x", "Goal?description=x"}) {
      for (int i = 0; i < 100; ++i) {
        const auto reply = live_->http().get(fmt::format("/fhir/R4/{}", search));
        if (reply && reply->status == 200) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    }
  }

  static bool stored(json::Value resource) {
    return std::ranges::any_of(examples_, [&](const auto& document) {
      return document->root()["resourceType"].text() == resource["resourceType"].text() &&
             document->root()["id"].text() == resource["id"].text();
    });
  }

  // Nothing when it was refused.
  static std::unique_ptr<json::Document> put(const fs::path& file) {
    auto document = json::Document::parse(load::read_text(file));
    if (!document || !accepted(document->root(), file)) return nullptr;
    return std::make_unique<json::Document>(std::move(*document));
  }
  static void store(json::Document document, const fs::path& file) {
    if (accepted(document.root(), file)) examples_.push_back(std::make_unique<json::Document>(std::move(document)));
  }
  static bool accepted(json::Value resource, const fs::path& file) {
    const auto reply = live_->http().send(
        "PUT", fmt::format("/fhir/R4/{}/{}", resource["resourceType"].text(), resource["id"].text()), resource.raw());
    if (reply && (reply->status == 201 || reply->status == 200)) return true;
    // Some examples are kept without their generated narrative: such a text is none (Narrative.div is mandatory).
    const json::Value text = resource["text"];
    if (!text.exists() || text["div"].exists())
      refused_.push_back(fmt::format("{}: {}", file.filename().string(), reply ? reply->body.substr(0, 400) : ""));
    return false;
  }

  static std::vector<json::Value> examples_of(std::string_view type) {
    std::vector<json::Value> out;
    for (const auto& document : examples_)
      if (document->root()["resourceType"].text() == type) out.push_back(document->root());
    return out;
  }

  // What went wrong; empty when the answer is exactly the examples that satisfy the criteria.
  std::string ask(const std::string& type, const Criteria& criteria, bool by_post) {
    std::string parameters;
    std::set<std::string> expected;
    for (const auto& [element, value] : criteria)
      parameters +=
          fmt::format("{}{}={}", parameters.empty() ? "" : "&", element->parameter, encode(escaped(*element, value)));
    for (const json::Value resource : examples_of(type)) {
      const bool all =
          std::ranges::all_of(criteria, [&](const auto& one) { return satisfies(resource, *one.first, one.second); });
      if (all) expected.emplace(resource["id"].text());
    }
    const auto reply =
        by_post ? live_->http().send("POST", fmt::format("/fhir/R4/{}/_search", type), parameters + "&_count=1000",
                                     "Content-Type: application/x-www-form-urlencoded\r\n")
                : live_->http().get(fmt::format("/fhir/R4/{}?{}&_count=1000", type, parameters));
    ++asked_;
    const std::string what = fmt::format("{} {}?{}", by_post ? "POST" : "GET", type, parameters);
    if (!reply || reply->status != 200)
      return fmt::format("{} -> {}", what,
                         reply ? fmt::format("{} {}", reply->status, reply->body.substr(0, 200)) : "nothing");
    const auto bundle = json::Document::parse_view(reply->body);
    std::set<std::string> got;
    if (bundle)
      for (const json::Value entry : bundle->root()["entry"]) got.emplace(entry["resource"]["id"].text());
    if (got == expected) return {};
    return fmt::format("{} -> {}; expected {}", what, fmt::join(got, " "), fmt::join(expected, " "));
  }

  // Criteria with the values of one example; empty when it does not have them all.
  static Criteria criteria_of(json::Value resource, const std::vector<const Element*>& asked) {
    Criteria criteria;
    for (const Element* element : asked) {
      const auto values = askable_values(resource, *element);
      if (values.empty()) return {};
      criteria.emplace_back(element, values.front());
    }
    return criteria;
  }

  void ask_for(const Row& row, const std::vector<const Element*>& asked) {
    const std::string& type = row.at("base");
    std::size_t examples = 0;
    std::vector<std::string> wrong;
    const auto note = [&](std::string text) {
      if (!text.empty()) wrong.push_back(std::move(text));
    };
    for (const json::Value resource : examples_of(type)) {
      const Criteria criteria = criteria_of(resource, asked);
      if (criteria.empty()) continue;
      Criteria brief = criteria;
      for (auto& [element, value] : brief) value = short_form(*element, value);
      note(ask(type, criteria, false));
      if (brief != criteria) note(ask(type, brief, false));
      note(ask(type, criteria, true));
      if (asked.size() == 1) ask_variants(row, *asked[0], criteria[0].second, note);
      if (++examples == examples_max) break;
    }
    if (examples == 0) without_example_.push_back(fmt::format("{}?{}", type, row.at("code")));
    if (!wrong.empty()) failures_.push_back(fmt::format("{}?{}: {}", type, row.at("code"), wrong.front()));
    ++requirements_;
  }

  // Alternatives and comparators, where the table asks for them.
  template <class Note>
  void ask_variants(const Row& row, const Element& element, const std::string& value, const Note& note) {
    const bool alternatives = row.at("multipleOr") == "Y" && element.kind != Kind::date &&
                              element.kind != Kind::string && element.kind != Kind::last_updated &&
                              element.kind != Kind::id;
    if (alternatives) note(ask(row.at("base"), {{&element, value + ",no-such-value"}}, false));
    if (row.at("shall_comparator").empty() || element.kind != Kind::date) return;
    const std::string plain = value[0] >= 'a' ? value.substr(2) : value;
    for (const std::string& comparator : split(row.at("shall_comparator")))
      note(ask(row.at("base"), {{&element, comparator + plain}}, false));
  }

  void expect_all(std::string_view conformance, bool own) {
    for (const Row& row : read_csv(source() / "search_requirements.csv")) {
      if (row.at("base_conf") != conformance) continue;
      std::vector<const Element*> asked;
      bool known = true;
      bool needs_own = false;
      for (const std::string& code : split(row.at("code"))) {
        asked.push_back(find_element(row.at("base"), code));
        known = known && asked.back() != nullptr;
        if (asked.back() != nullptr) needs_own = needs_own || !asked.back()->definition.empty();
      }
      if (!known) ADD_FAILURE() << "not known here: " << row.at("base") << "?" << row.at("code");
      if (known && needs_own == own) ask_for(row, asked);
    }
    EXPECT_GT(requirements_, 0U);
    fmt::print("{}{}: {} of {} requirements, {} searches; without an example: {}\n", conformance,
               own ? " (parameters of the guide)" : "", requirements_ - failures_.size(), requirements_, asked_,
               fmt::join(without_example_, " "));
    std::string shown;
    for (std::size_t i = 0; i < std::min(failures_.size(), shown_max); ++i) shown += "\n" + failures_[i];
    EXPECT_TRUE(failures_.empty()) << failures_.size() << " requirements are not met:" << shown;
  }

  static inline std::unique_ptr<Live> live_;
  static inline std::vector<std::unique_ptr<json::Document>> examples_;
  static inline std::vector<std::string> refused_;
  std::size_t requirements_ = 0;
  std::size_t asked_ = 0;
  std::vector<std::string> failures_;
  std::vector<std::string> without_example_;
};

TEST_F(UsCore, TheGuidesExamplesAreStored) {
  EXPECT_TRUE(refused_.empty()) << fmt::format("{}", fmt::join(refused_, "\n"));
}

TEST_F(UsCore, SearchesThatServersShallSupport) { expect_all("SHALL", false); }

TEST_F(UsCore, SearchesThatServersShouldSupport) { expect_all("SHOULD", false); }

TEST_F(UsCore, SearchesThatServersMaySupport) { expect_all("MAY", false); }

TEST_F(UsCore, SearchesByTheGuidesOwnParametersThatServersShouldSupport) { expect_all("SHOULD", true); }

TEST_F(UsCore, SearchesByTheGuidesOwnParametersThatServersMaySupport) { expect_all("MAY", true); }

}  // namespace
}  // namespace mydr24::live
