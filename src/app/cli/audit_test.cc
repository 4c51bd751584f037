// `mydr24 audit` on a trail as a server leaves it; and that its AuditEvents are valid FHIR, also by the rules of IHE
// BALP.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "app/cli/cli.h"
#include "base/json/document.h"
#include "fhir/validation/validation.h"
#include "guard/audit/fhir.h"
#include "guard/audit/log.h"

namespace mydr24::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Ran {
  int exit = 0;
  std::string out;
  std::string err;
};

class AuditCommand : public testing::Test {
 protected:
  AuditCommand() {
    std::string name = "/tmp/mydr24-audit-XXXXXX";
    data_ = ::mkdtemp(name.data());
    auto log = audit::Log::open({.folder = std::filesystem::path(data_) / "audit"}, clock_);
    EXPECT_TRUE(log);
    for (const audit::Entry& entry : entries()) EXPECT_TRUE((*log)->append(entry));
  }
  ~AuditCommand() override { std::filesystem::remove_all(data_); }

  Ran run_with(std::vector<std::string> arguments) const {
    std::vector<const char*> words{"mydr24", "audit"};
    for (const auto& one : arguments) words.push_back(one.c_str());
    words.push_back("--data");
    words.push_back(data_.c_str());
    std::ostringstream out, err;
    const int exit = run(static_cast<int>(words.size()), words.data(), out, err);
    return {exit, out.str(), err.str()};
  }

  // One of each kind, with what makes its event larger.
  std::vector<audit::Entry> entries() const {
    std::vector<audit::Entry> made;
    const auto add = [&](std::string_view interaction, audit::Action action, int status) -> audit::Entry& {
      audit::Entry entry{.at = clock_.now(), .request_id = "req-7", .action = action};
      entry.interaction = interaction;
      entry.http_status = status;
      entry.outcome = audit::outcome_of_status(status);
      entry.principal_kind = access::PrincipalKind::person;
      entry.principal = "user/anna";
      entry.name = "Anna Nurse";
      entry.client = "app";
      entry.roles = {"nurse"};
      entry.session = "s-1";
      entry.fhir_user = "Practitioner/12";
      entry.address = "10.0.0.1";
      entry.purpose = "TREAT";
      entry.resource_type = "Observation";
      entry.resource_id = "o1";
      entry.resource_version = "1";
      entry.patients = {"p1"};
      made.push_back(std::move(entry));
      return made.back();
    };
    using audit::Action;
    add("read", Action::read, 200);
    add("vread", Action::read, 200).patients.clear();
    add("create", Action::create, 201);
    add("update", Action::update, 200);
    add("patch", Action::update, 200).query = "_format=json";
    add("delete", Action::remove, 204);
    audit::Entry& search = add("search-type", Action::read, 200);
    search.query = "code=8867-4&patient=p1";
    search.resource_id.clear();
    search.patients = {"p1", "p2"};
    audit::Entry& system = add("search-system", Action::read, 200);
    system.resource_type.clear();
    system.resource_id.clear();
    system.patients.clear();
    audit::Entry& refused = add("read", Action::read, 403);
    refused.rule = "not of her ward";
    audit::Entry& anonymous = add("read", Action::read, 401);
    anonymous.principal_kind = access::PrincipalKind::anonymous;
    anonymous.principal = anonymous.name = anonymous.client = anonymous.fhir_user = anonymous.purpose = "";
    anonymous.roles.clear();
    anonymous.patients.clear();
    audit::Entry& machine = add("operation", Action::execute, 200);
    machine.principal_kind = access::PrincipalKind::machine;
    machine.query = "_type=Patient";
    add("alert.acknowledge", Action::execute, 200).resource_type.clear();
    add(audit::override_started, Action::execute, 200).override_id = "ov-1";
    add(audit::override_stopped, Action::execute, 200).override_id = "ov-1";
    add(audit::login, Action::execute, 200);
    audit::Entry& own = add("audit.hold", Action::execute, 0);
    own.principal_kind = access::PrincipalKind::system;
    own.principal = own.client = own.address = own.request_id = own.resource_type = "";
    return made;
  }

  const Clock& clock_ = system_clock();
  std::string data_;
};

// The rules of a BALP profile that R4 itself does not have, as a differential: what `Base` stands for is the parent.
std::string profile(std::string_view name, std::string_view action, std::string_view client, std::string_view server,
                    bool query, bool patient) {
  std::string elements;
  const auto add = [&](std::string_view id, std::string_view path, std::string_view rest) {
    elements += fmt::format(R"({}{{"id":"{}","path":"{}"{}}})", elements.empty() ? "" : ",", id, path, rest);
  };
  const auto coding = [](std::string_view system, std::string_view code) {
    return fmt::format(R"({{"system":"{}","code":"{}"}})", system, code);
  };
  const auto agent = [&](std::string_view slice, std::string_view cardinality, const std::string& code) {
    add(fmt::format("AuditEvent.agent:{}", slice), "AuditEvent.agent",
        fmt::format(R"(,"sliceName":"{}",{})", slice, cardinality));
    add(fmt::format("AuditEvent.agent:{}.type", slice), "AuditEvent.agent.type",
        fmt::format(R"(,"min":1,"patternCodeableConcept":{{"coding":[{}]}})", code));
    add(fmt::format("AuditEvent.agent:{}.who", slice), "AuditEvent.agent.who", R"(,"min":1)");
    add(fmt::format("AuditEvent.agent:{}.media", slice), "AuditEvent.agent.media", R"(,"max":"0")");
    add(fmt::format("AuditEvent.agent:{}.network", slice), "AuditEvent.agent.network", R"(,"min":1)");
  };
  const auto entity = [&](std::string_view slice, std::string_view cardinality, const std::string& type) {
    add(fmt::format("AuditEvent.entity:{}", slice), "AuditEvent.entity",
        fmt::format(R"(,"sliceName":"{}",{})", slice, cardinality));
    add(fmt::format("AuditEvent.entity:{}.type", slice), "AuditEvent.entity.type",
        fmt::format(R"(,"min":1,"patternCoding":{})", type));
  };
  const auto role = [&](std::string_view slice, std::string_view code) {
    add(fmt::format("AuditEvent.entity:{}.role", slice), "AuditEvent.entity.role",
        fmt::format(R"(,"min":1,"patternCoding":{})",
                    coding("http://terminology.hl7.org/CodeSystem/object-role", code)));
  };
  constexpr std::string_view by_type =
      R"(,"slicing":{"discriminator":[{"type":"pattern","path":"type"}],"rules":"open"},"min":)";
  constexpr std::string_view kinds = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
  add("AuditEvent", "AuditEvent", "");
  add("AuditEvent.type", "AuditEvent.type",
      fmt::format(R"(,"patternCoding":{})", coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")));
  add("AuditEvent.subtype", "AuditEvent.subtype", R"(,"min":1)");
  add("AuditEvent.action", "AuditEvent.action", fmt::format(R"(,"min":1,"fixedCode":"{}")", action));
  add("AuditEvent.outcome", "AuditEvent.outcome", R"(,"min":1,"fixedCode":"0")");
  add("AuditEvent.agent", "AuditEvent.agent", fmt::format("{}2", by_type));
  agent("client", R"("min":1,"max":"1")", std::string(client));
  agent("server", R"("min":1,"max":"1")", std::string(server));
  add("AuditEvent.entity", "AuditEvent.entity", fmt::format("{}{}", by_type, patient ? 2 : 1));
  entity("transaction", R"("min":0,"max":"1")",
         coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId"));
  add("AuditEvent.entity:transaction.what", "AuditEvent.entity.what", R"(,"min":1)");
  entity("object", R"("min":1,"max":"1")", coding(kinds, "2"));
  role("object", query ? "24" : "4");
  add("AuditEvent.entity:object.what", "AuditEvent.entity.what", query ? R"(,"max":"0")" : R"(,"min":1)");
  if (query) add("AuditEvent.entity:object.query", "AuditEvent.entity.query", R"(,"min":1)");
  if (patient) {
    entity("patient", R"("min":1,"max":"1")", coding(kinds, "1"));
    role("patient", "1");
    add("AuditEvent.entity:patient.what", "AuditEvent.entity.what",
        R"(,"min":1,"type":[{"code":"Reference",)"
        R"("targetProfile":["http://hl7.org/fhir/StructureDefinition/Patient"]}])");
  }
  return fmt::format(
      R"({{"resourceType":"StructureDefinition","url":"https://profiles.ihe.net/ITI/BALP/StructureDefinition/)"
      R"(IHE.BasicAudit.{}{}","name":"P","status":"active","fhirVersion":"4.0.1","kind":"resource","abstract":false,)"
      R"("type":"AuditEvent","baseDefinition":"http://hl7.org/fhir/StructureDefinition/AuditEvent",)"
      R"("derivation":"constraint","differential":{{"element":[{}]}}}})",
      patient ? "Patient" : "", name, elements);
}

std::vector<std::string> profiles() {
  const auto dicom = [](std::string_view code) {
    return fmt::format(R"({{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"{}"}})", code);
  };
  const std::string source = dicom("110153"), destination = dicom("110152");
  std::vector<std::string> all;
  for (const bool patient : {false, true}) {
    all.push_back(profile("Read", "R", destination, source, false, patient));
    all.push_back(profile("Create", "C", source, destination, false, patient));
    all.push_back(profile("Update", "U", source, destination, false, patient));
    all.push_back(profile("Query", "E", source, destination, true, patient));
    all.push_back(profile("Delete", "D", dicom("110150"),
                          R"({"system":"http://terminology.hl7.org/CodeSystem/provenance-participant-type",)"
                          R"("code":"custodian"})",
                          false, patient));
  }
  return all;
}

std::string problems(const validation::Validator& validator, std::string_view line) {
  const auto document = json::Document::parse_view(line);
  if (!document) return document.error().text;
  std::string text;
  for (const auto& issue : validator.validate(document->root(), {}))
    if (issue.severity != model::Severity::information && issue.severity != model::Severity::warning)
      text += issue.expression + ": " + issue.diagnostics + "\n";
  return text;
}

TEST_F(AuditCommand, ExportedAuditEventsAreValidByR4AndByBalp) {
  std::vector<json::Document> documents;
  std::vector<json::Value> roots;
  for (const std::string& text : profiles()) {
    auto parsed = json::Document::parse(text);
    ASSERT_TRUE(parsed) << parsed.error().text;
    documents.push_back(std::move(*parsed));
  }
  for (const auto& one : documents) roots.push_back(one.root());
  const auto terminology = terminology::Terminology::published()->with(roots);
  std::vector<std::string> told;
  const auto validator = validation::Validator::base(terminology)->with(roots, terminology, &told);
  EXPECT_EQ(told, std::vector<std::string>());

  const Ran ran = run_with({"export", "--format", "fhir", "--site", "St. Anna", "--url", "https://a.example/fhir/R4"});
  ASSERT_EQ(ran.exit, 0) << ran.err;
  std::istringstream lines(ran.out);
  std::size_t events = 0, with_profile = 0;
  std::string claims;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("{\"trailer\"")) break;
    ++events;
    EXPECT_EQ(problems(*validator, line), "") << line;
    const auto document = json::Document::parse_view(line);
    const std::string claimed(document->root()["meta"]["profile"].at(0).text());
    if (claimed.empty()) continue;
    ++with_profile;
    EXPECT_TRUE(validator->has_profile(claimed)) << claimed;
    // The profile is looked at: without its server the event is none of its kind.
    std::string other = line;
    const std::string server = R"("display":"St. Anna"},"requestor":false)";
    ASSERT_NE(other.find(server), std::string::npos);
    const std::string code = claimed.ends_with("Delete") ? "custodian"
                             : claimed.ends_with("Read") ? "110153"
                                                         : "110152";
    other.replace(other.find(code), code.size(), "110155");
    EXPECT_NE(problems(*validator, other), "") << claimed;
  }
  EXPECT_EQ(events, entries().size() + 1);  // the search concerns two patients
  EXPECT_EQ(with_profile, 9U);
}

TEST_F(AuditCommand, SearchPrintsATableJsonOrNdjson) {
  const Ran table = run_with({"search", "--patient", "p2"});
  EXPECT_EQ(table.exit, 0) << table.err;
  EXPECT_THAT(table.out, HasSubstr("search-type Observation"));
  EXPECT_THAT(table.out, HasSubstr("user/anna"));
  const Ran json = run_with({"search", "--failures", "--json"});
  const auto document = json::Document::parse_view(json.out);
  ASSERT_TRUE(document) << json.out;
  EXPECT_EQ(document->root()["schema"].text(), "mydr24.audit.search.v1");
  ASSERT_EQ(document->root()["entries"].size(), 2U);
  EXPECT_EQ(document->root()["entries"].at(1)["rule"].text(), "not of her ward");
  const Ran lines = run_with({"search", "--format", "ndjson", "--limit", "3"});
  EXPECT_EQ(std::ranges::count(lines.out, '\n'), 3);
  EXPECT_THAT(lines.err, HasSubstr("--cursor"));
  EXPECT_EQ(run_with({"search", "--action", "X"}).exit, 6);
  EXPECT_EQ(run_with({"search", "--since", "yesterday"}).exit, 6);
  EXPECT_EQ(run_with({"search", "--folder", data_ + "/none"}).exit, 3);
}

TEST_F(AuditCommand, VerifyEndsWith7WhenSomethingWasChanged) {
  const Ran good = run_with({"verify"});
  EXPECT_EQ(good.exit, 0) << good.out << good.err;
  EXPECT_THAT(good.out, HasSubstr("as they were written"));
  const std::string file = data_ + "/audit/0000000000000001.log";
  std::string content;
  {
    std::ifstream in(file, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(in), {});
  }
  content[content.find("not of her ward")] = 'N';
  std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  const Ran bad = run_with({"verify", "--json"});
  EXPECT_EQ(bad.exit, 7);
  const auto document = json::Document::parse_view(bad.out);
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root()["findings"].at(0)["line"].text(), "10");
  EXPECT_EQ(document->root()["findings"].at(0)["problem"].text(), "changed");
}

TEST_F(AuditCommand, AnExportIsVerifiedByThePublicKeyAlone) {
  const Ran exported = run_with({"export", "--patient", "p1"});
  ASSERT_EQ(exported.exit, 0);
  const Ran key = run_with({"key"});
  EXPECT_THAT(key.out, HasSubstr("BEGIN PUBLIC KEY"));
  std::ofstream(data_ + "/key.pem") << key.out;
  std::ofstream(data_ + "/export.ndjson") << exported.out;
  const std::vector<std::string> verify{"verify", "--export", data_ + "/export.ndjson", "--key", data_ + "/key.pem"};
  EXPECT_EQ(run_with(verify).exit, 0);
  std::string changed = exported.out;
  changed[changed.find("user/anna")] = 'U';
  std::ofstream(data_ + "/export.ndjson") << changed;
  EXPECT_EQ(run_with(verify).exit, 7);
  EXPECT_THAT(run_with({"key", "--json"}).out, HasSubstr("\"algorithm\":\"Ed25519\""));
}

TEST_F(AuditCommand, DisclosuresGroupByPurposeAndRecipient) {
  const Ran ran = run_with({"disclosures", "p1"});
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("inside    TREAT       app"));
  EXPECT_THAT(ran.out, Not(HasSubstr("outside")));
  EXPECT_THAT(run_with({"disclosures", "p1", "--json"}).out, HasSubstr("\"purpose\":\"TREAT\""));
}

TEST_F(AuditCommand, HoldsArePlacedListedAndLiftedWithoutAServer) {
  EXPECT_EQ(run_with({"hold", "add", "p1"}).exit, 2) << "a hold has a reason";
  const auto placed = run_with({"hold", "add", "p1", "--reason", "claim", "--until", "2199-01-01", "--by", "counsel"});
  ASSERT_EQ(placed.exit, 0) << placed.err;
  const auto listed = run_with({"hold", "list", "--json"});
  EXPECT_THAT(listed.out, HasSubstr(R"("by":"operator/counsel")"));
  EXPECT_THAT(listed.out, HasSubstr(R"("until":"2199-01-01T00:00:00.000Z")"));
  EXPECT_EQ(run_with({"hold", "lift", "p1", "--reason", "settled", "--by", "counsel"}).exit, 0);
  EXPECT_EQ(run_with({"hold", "lift", "p1", "--reason", "settled"}).exit, 3);
  EXPECT_THAT(run_with({"search", "--interaction", "audit.release"}).out, HasSubstr("operator/counsel"));
}

}  // namespace
}  // namespace mydr24::cli
