#include "fhir/model/outcome.h"

#include <gtest/gtest.h>

namespace mydr24::model {
namespace {

TEST(Outcome, NoIssueIsAllOk) {
  EXPECT_EQ(operation_outcome(std::span<const Issue>()),
            R"({"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational",)"
            R"("diagnostics":"All OK"}]})");
}

TEST(Outcome, AnIssueNamesWhatWasWrongAndWhere) {
  const Issue issue{Severity::error, "structure", "no \"x\"", "Patient.x"};
  EXPECT_EQ(operation_outcome(std::span(&issue, 1)),
            R"({"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"structure",)"
            R"("diagnostics":"no \"x\"","expression":["Patient.x"]}]})");
}

TEST(Outcome, AnErrorBecomesOneIssue) {
  EXPECT_EQ(
      operation_outcome(fail(Code::gone, "deleted")),
      R"({"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"deleted","diagnostics":"deleted"}]})");
}

TEST(Outcome, EveryCodeHasAnIssueTypeAndAStatus) {
  struct Row {
    Code code;
    std::string_view issue;
    int status;
  };
  for (const auto& [code, issue, status] :
       {Row{Code::invalid, "invalid", 400}, Row{Code::unprocessable, "processing", 422},
        Row{Code::not_found, "not-found", 404}, Row{Code::gone, "deleted", 410}, Row{Code::conflict, "conflict", 409},
        Row{Code::stale, "conflict", 412}, Row{Code::too_large, "too-long", 413}, Row{Code::refused, "forbidden", 403},
        Row{Code::busy, "transient", 503}, Row{Code::unsupported, "not-supported", 501},
        Row{Code::internal, "exception", 500}}) {
    EXPECT_EQ(issue_code(code), issue);
    EXPECT_EQ(http_status(code), status);
  }
}

}  // namespace
}  // namespace mydr24::model
