#pragma once

// The search part of the contract, held against search::matches: every answer of a store must be what the meaning of
// the
// query says of each resource by itself (see contract_test.h).

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "storage/store/contract_search_test.h"

namespace mydr24::store {

class StoreOracleContract : public StoreSearchContract {
 protected:
  using Asked = std::vector<std::pair<std::string, std::string>>;
  struct Kept {
    std::string type, id, text;
    Instant at;
    int created = 0;
  };

  void keep(std::string_view type, std::string_view id, std::string_view text) {
    const auto written = write(type, id, text);
    const auto key = fmt::format("{}/{}", type, id);
    int& created = created_[key];  // what comes back has its old place
    if (created == 0) created = static_cast<int>(created_.size());
    kept_[key] = {std::string(type), std::string(id), std::string(text), written.at, created};
    clock_.advance(std::chrono::seconds(1));
  }
  void drop(std::string_view type, std::string_view id) {
    remove(type, id);
    kept_.erase(fmt::format("{}/{}", type, id));
    clock_.advance(std::chrono::seconds(1));
  }

  search::MatchContext context_of(const Kept& kept) {
    return {.now = clock_.now(),
            .last_updated = kept.at,
            .catalogue = nullptr,
            .chain =
                [this](const search::Condition& chain, std::span<const std::string> targets) {
                  return std::ranges::any_of(targets, [&](const std::string& target) {
                    const auto found = kept_.find(target);
                    return found != kept_.end() && all_hold(found->second, chain.parts);
                  });
                },
            .has =
                [this](const search::Condition& has, std::string_view reference) {
                  return std::ranges::any_of(kept_, [&](const auto& entry) {
                    if (entry.second.type != has.parameter->type) return false;
                    const auto document = json::Document::parse_view(entry.second.text);
                    const auto entries = search::extract(document->root(), *has.parameter);
                    return std::ranges::any_of(entries, [&](const auto& e) { return e.value == reference; }) &&
                           all_hold(entry.second, has.parts);
                  });
                }};
  }
  bool all_hold(const Kept& kept, std::span<const search::Condition> conditions) {
    const auto document = json::Document::parse_view(kept.text);
    const auto context = context_of(kept);
    return std::ranges::all_of(conditions, [&](const search::Condition& condition) {
      return search::matches(condition, document->root(), context);
    });
  }

  // The ids that must be found, in the order of the query.
  std::string expected(const search::Query& query) {
    struct Item {
      const Kept* kept;
      std::vector<std::optional<std::string>> keys;
    };
    std::vector<Item> items;
    for (const auto& [key, kept] : kept_) {
      if (kept.type != query.type || !all_hold(kept, query.conditions)) continue;
      Item item{&kept, {}};
      const auto document = json::Document::parse_view(kept.text);
      for (const auto& sort : query.sort) item.keys.push_back(search::sort_key(document->root(), sort));
      items.push_back(std::move(item));
    }
    const bool down = query.order == search::Order::newest_first;
    std::ranges::sort(items, [&](const Item& a, const Item& b) {
      for (std::size_t i = 0; i < query.sort.size(); ++i) {
        if (a.keys[i] == b.keys[i]) continue;
        if (!a.keys[i] || !b.keys[i]) return a.keys[i].has_value();
        return query.sort[i].descending ? *a.keys[i] > *b.keys[i] : *a.keys[i] < *b.keys[i];
      }
      if (query.by_last_updated) return down ? a.kept->at > b.kept->at : a.kept->at < b.kept->at;
      return down ? a.kept->created > b.kept->created : a.kept->created < b.kept->created;
    });
    std::string ids;
    for (const Item& item : items) ids += (ids.empty() ? "" : " ") + item.kept->id;
    return ids;
  }

  void expect_as_meant(std::string_view type, const Asked& asked) {
    std::string shown(type);
    for (const auto& [name, value] : asked) shown += fmt::format(" {}={}", name, value);
    auto query = search::parse_query(type, asked, search::ParseOptions{});
    ASSERT_TRUE(query) << shown << ": " << query.error().issues.front().diagnostics;
    query->count = search::count_max;
    const auto meant = expected(*query);
    EXPECT_EQ(found(*query), meant) << shown;
  }

  static std::string resource(std::string_view type, std::string_view id, std::string_view more) {
    return fmt::format(R"({{"resourceType":"{}","id":"{}","meta":{{}}{}{}}})", type, id, more.empty() ? "" : ",", more);
  }

  // A small hospital, the same in every run.
  void write_hospital(unsigned seed, int patients) {
    std::mt19937 random(seed);
    const auto pick = [&](const auto& list) { return list[random() % std::size(list)]; };
    const auto chance = [&](int percent) { return static_cast<int>(random() % 100) < percent; };
    constexpr const char* families[] = {"Meyer", "MEYER-Schmidt", "Ångström", "O'Brien", "Van der Berg", "Smith"};
    constexpr const char* given[] = {"Anna", "Maria Luise", "John", "Ann", "Jöhn"};
    constexpr const char* genders[] = {"male", "female", "other"};
    constexpr const char* births[] = {"1980", "1980-05", "1980-05-17", "2001-12-31"};
    constexpr const char* codes[] = {"8480-6", "8867-4", "29463-7"};
    constexpr const char* displays[] = {"Systolic blood pressure", "Heart rate", "Body weight"};
    constexpr const char* values[] = {
        R"("value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]")",
        R"("value":5.5,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg")",
        R"("value":5500,"unit":"g","system":"http://unitsofmeasure.org","code":"g")", R"("value":80,"unit":"/min")",
        R"("value":100,"comparator":">","unit":"kg","system":"http://unitsofmeasure.org","code":"kg")"};
    constexpr const char* times[] = {
        R"("effectiveDateTime":"2024-01-15T10:00:00Z")", R"("effectiveDateTime":"2024-01")",
        R"("effectivePeriod":{"start":"2023-12-01","end":"2024-02-01"})",
        R"("effectivePeriod":{"start":"2024-01-20T00:00:00+02:00"})", R"("effectiveDateTime":"2022-06-01")"};
    constexpr const char* statuses[] = {"final", "amended", "preliminary"};
    for (int i = 0; i < 3; ++i) {
      keep(
          "Organization", fmt::format("g{}", i),
          resource("Organization", fmt::format("g{}", i), fmt::format(R"("name":"Clinic {}","active":{})", i, i != 1)));
      keep("Practitioner", fmt::format("d{}", i),
           resource("Practitioner", fmt::format("d{}", i), fmt::format(R"("name":[{{"family":"{}"}}])", families[i])));
      keep("Location", fmt::format("l{}", i),
           resource("Location", fmt::format("l{}", i),
                    fmt::format(R"("name":"Ward {}","position":{{"longitude":{},"latitude":{}}})", i,
                                i == 2 ? 179.9 : 13.4 + i, i == 2 ? -10 : 52.5 + i)));
      keep("ValueSet", fmt::format("v{}", i),
           resource("ValueSet", fmt::format("v{}", i),
                    fmt::format(R"("status":"active","url":"http://x.org/vs/a{}")", i == 0   ? ""
                                                                                    : i == 1 ? "/b"
                                                                                             : "b")));
      keep(
          "RiskAssessment", fmt::format("r{}", i),
          resource(
              "RiskAssessment", fmt::format("r{}", i),
              fmt::format(
                  R"("status":"final","subject":{{"reference":"Patient/p0"}},"prediction":[{{"probabilityDecimal":0.{}}}])",
                  i + 1)));
    }
    for (int i = 0; i < patients; ++i) {
      const auto id = fmt::format("p{}", i);
      std::string more = fmt::format(R"("name":[{{"family":"{}","given":["{}"]}}])", pick(families), pick(given));
      if (chance(80)) more += fmt::format(R"(,"gender":"{}")", pick(genders));
      if (chance(80)) more += fmt::format(R"(,"birthDate":"{}")", pick(births));
      if (chance(60)) {
        more += fmt::format(
            R"(,"identifier":[{{"system":"http://{}","value":"{}","type":{{"coding":[{{"system":"http://t","code":"MR"}}],"text":"Medical record"}}}}])",
            chance(50) ? "a" : "b", random() % 3);
      }
      if (chance(70))
        more += fmt::format(R"(,"managingOrganization":{{"reference":"Organization/g{}"}})", random() % 3);
      if (chance(50))
        more += fmt::format(R"(,"generalPractitioner":[{{"reference":"Practitioner/d{}"}}])", random() % 3);
      keep("Patient", id, resource("Patient", id, more));
      for (int j = 0; j < 2; ++j) {
        const auto n = random() % 3;
        const auto observation = fmt::format("o{}-{}", i, j);
        std::string body = fmt::format(
            R"("status":"{}","code":{{"coding":[{{"system":"http://loinc.org","code":"{}","display":"{}"}}],"text":"{} test"}},"subject":{{"reference":"Patient/p{}"}})",
            pick(statuses), codes[n], displays[n], displays[n], random() % static_cast<unsigned>(patients));
        if (chance(80)) body += fmt::format(R"(,"valueQuantity":{{{}}})", pick(values));
        if (chance(80)) body += fmt::format(",{}", pick(times));
        if (chance(50)) body += fmt::format(R"(,"performer":[{{"reference":"Practitioner/d{}"}}])", random() % 3);
        if (chance(30)) {
          body += fmt::format(
              R"(,"component":[{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{}"}}]}},"valueQuantity":{{{}}}}}])",
              codes[n], pick(values));
        }
        keep("Observation", observation, resource("Observation", observation, body));
      }
    }
  }

  std::map<std::string, Kept> kept_;
  std::map<std::string, int> created_;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreOracleContract);

// What can be asked of each type, each alone and some together.
inline const std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>>& oracle_questions() {
  static const std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> questions{
      {"Patient",
       {{"family", "meyer"},
        {"family:exact", "Meyer"},
        {"family:contains", "schm"},
        {"name:text", "mar"},
        {"name:text", "van ber"},
        {"given", "jöhn,ann"},
        {"gender", "male"},
        {"gender", "male,female"},
        {"gender:not", "male"},
        {"gender:missing", "true"},
        {"gender:missing", "false"},
        {"birthdate", "1980"},
        {"birthdate", "ne1980-05"},
        {"birthdate", "gt1980-05,lt1980-02"},
        {"birthdate:missing", "true"},
        {"identifier", "1"},
        {"identifier", "http://a|1"},
        {"identifier", "http://a|"},
        {"identifier", "|1"},
        {"identifier:missing", "true"},
        {"identifier:of-type", "http://t|MR|1"},
        {"identifier:text", "medical"},
        {"organization", "Organization/g1"},
        {"organization:missing", "true"},
        {"organization.name", "clinic"},
        {"organization.active", "true"},
        {"general-practitioner.family", "meyer"},
        {"_has:Observation:subject:code", "8480-6"},
        {"_has:Observation:subject:status", "final,amended"},
        {"_id", "p0,p1,p2"},
        {"_content", "anna"},
        {"_content", "meyer"},
        {"_filter", "gender eq male or family co \"mey\""},
        {"_filter", "not (gender eq male) and birthdate ge 1980-05"},
        {"_lastUpdated", "ge2000-01-01"},
        {"_sort", "family"},
        {"_sort", "-family"},
        {"_sort", "birthdate"},
        {"_sort", "-birthdate,gender"},
        {"_sort", "gender"},
        {"_sort", "organization"},
        {"_sort", "_id"},
        {"_sort", "-_lastUpdated"}}},
      {"Observation",
       {{"code", "8480-6"},
        {"code", "http://loinc.org|8480-6,29463-7"},
        {"code:not", "8480-6"},
        {"code:text", "systolic"},
        {"code:text", "heart ra"},
        {"status", "final"},
        {"subject", "Patient/p1"},
        {"subject", "Patient/p1,Patient/p2"},
        {"subject:missing", "true"},
        {"date", "2024-01"},
        {"date", "ge2024"},
        {"date", "lt2024-01-15"},
        {"date", "sa2024-01-10"},
        {"date", "eb2024"},
        {"date", "ap2024-01-15"},
        {"date", "ne2024-01"},
        {"date", "le2024-01-15"},
        {"value-quantity", "120"},
        {"value-quantity", "5.5|http://unitsofmeasure.org|kg"},
        {"value-quantity", "gt5000|http://unitsofmeasure.org|g"},
        {"value-quantity", "lt100"},
        {"value-quantity", "ne80"},
        {"value-quantity", "ap110"},
        {"value-quantity", "80||/min"},
        {"value-quantity:missing", "true"},
        {"combo-value-quantity", "ge100"},
        {"code-value-quantity", "http://loinc.org|8480-6$gt100"},
        {"code-value-quantity", "8867-4$lt6|http://unitsofmeasure.org|kg"},
        {"component-code-value-quantity", "8480-6$ge5"},
        {"combo-code", "8480-6"},
        {"performer.family", "meyer"},
        {"subject:Patient.family", "meyer"},
        {"patient.organization.name", "clinic 1"},
        {"patient.gender:not", "male"},
        {"patient.family:exact", "Meyer"},
        {"_content", "pressure"},
        {"_content", "systolic pressure"},
        {"_filter", "code eq \"8480-6\" and not (status eq final)"},
        {"_sort", "date"},
        {"_sort", "-date"},
        {"_sort", "subject"},
        {"_sort", "-subject,value-quantity"},
        {"_sort", "value-quantity"},
        {"_sort", "-value-quantity,date"},
        {"_sort", "code,-date"},
        {"_sort", "_lastUpdated"}}},
      {"Location",
       {{"near", "52.5|13.4|10|km"}, {"near", "52.5|13.4|200|km"}, {"near", "-10|-179.9|100|km"}, {"name", "ward"}}},
      {"ValueSet",
       {{"url", "http://x.org/vs/a"},
        {"url:below", "http://x.org/vs/a"},
        {"url:above", "http://x.org/vs/a/b/c"},
        {"url:missing", "false"}}},
      {"Practitioner",
       {{"_has:Patient:general-practitioner:_has:Observation:subject:code", "8480-6"},
        {"_has:Observation:performer:subject:Patient.gender", "male"}}},
      {"RiskAssessment",
       {{"probability", "0.2"}, {"probability", "gt0.1"}, {"probability", "ap0.3"}, {"_sort", "-probability"}}},
  };
  return questions;
}

TEST_P(StoreOracleContract, EveryQuestionIsAnsweredAsItIsMeant) {
  write_hospital(1, 12);
  keep("Patient", "p3", resource("Patient", "p3", R"("name":[{"family":"Changed"}],"gender":"female")"));
  drop("Patient", "p4");
  drop("Observation", "o5-0");
  keep("Patient", "p4", resource("Patient", "p4", R"("name":[{"family":"Meyer","text":"Back again"}])"));
  for (const auto& [type, questions] : oracle_questions()) {
    for (const auto& question : questions) expect_as_meant(type, {question});
  }
}

TEST_P(StoreOracleContract, QuestionsTogetherAreAnsweredAsTheyAreMeant) {
  write_hospital(2, 12);
  std::mt19937 random(7);
  constexpr int rounds = 120;
  for (int round = 0; round < rounds; ++round) {
    const auto& [type, questions] = oracle_questions()[random() % 2];
    Asked asked;
    bool sorted = false;
    for (std::size_t i = 0, count = 2 + random() % 2; i < count; ++i) {
      const auto& question = questions[random() % questions.size()];
      if (question.first == "_sort" && std::exchange(sorted, true)) continue;
      if (question.first == "_filter" &&
          std::ranges::any_of(asked, [](const auto& a) { return a.first == "_filter"; })) {
        continue;
      }
      asked.push_back(question);
    }
    expect_as_meant(type, asked);
  }
}

// Every way of asking for a date, in both directions of a walk along it.
TEST_P(StoreOracleContract, AWalkAlongADateBeginsWhereItsConditionSays) {
  write_hospital(3, 20);
  for (const auto* prefix : {"", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}) {
    for (const auto* date : {"2022-06-01", "2023-12", "2024-01", "2024-01-15T10:00:00Z"}) {
      for (const auto* sort : {"date", "-date", "date,-code", "-date,subject"}) {
        expect_as_meant("Observation", {{"date", std::string(prefix) + date}, {"_sort", sort}});
        expect_as_meant("Observation",
                        {{"date", std::string(prefix) + date}, {"date", "ge2023-12,eb2023"}, {"_sort", sort}});
      }
    }
  }
}

// More than are sorted by reading them at once.
TEST_P(StoreOracleContract, ManyAreSortedByWhateverThereIs) {
  constexpr int count = 2'300;
  ASSERT_TRUE(store_->write(RequestClass::background, [&](Transaction& transaction) -> Result<> {
    for (int i = 0; i < count; ++i) {
      const auto id = fmt::format("o{:04}", i);
      const auto text = resource(
          "Observation", id,
          fmt::format(R"("status":"{}","code":{{"coding":[{{"code":"{}"}}]}},"subject":{{"reference":"Patient/p{}"}})"
                      R"(,"effectiveDateTime":"20{:02}-01-01","valueQuantity":{{"value":{}}})",
                      i % 7 == 0 ? "amended" : "final", i % 3, i % 11, i % 24, i * 37 % 1'009 - 500));
      MYDR24_TRY(put(transaction, *store_, "Observation", id, text));
      kept_["Observation/" + id] = {"Observation", id, text, clock_.now(), i + 1};
    }
    return {};
  }));
  for (const auto* sort : {"value-quantity", "-value-quantity", "subject", "-subject,value-quantity", "status,-date",
                           "-date", "code,status,-value-quantity"}) {
    for (const Asked& asked : {Asked{}, Asked{{"date", "lt2010"}}, Asked{{"status", "final"}, {"date", "ge2012-06"}}}) {
      auto with_sort = asked;
      with_sort.emplace_back("_sort", sort);
      auto query = search::parse_query("Observation", with_sort, search::ParseOptions{});
      ASSERT_TRUE(query);
      const auto meant = expected(*query);
      query->count = 900;
      std::string ids;
      do {
        const auto some = page(*query);
        for (const Version& version : some.matches) ids += (ids.empty() ? "" : " ") + version.id;
        query->cursor = some.next_cursor;
      } while (!query->cursor.empty());
      EXPECT_EQ(ids, meant) << sort;
    }
  }
}

}  // namespace mydr24::store
