#include "fhir/model/outcome.h"

#include "base/json/writer.h"

namespace mydr24::model {
namespace {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::fatal:
      return "fatal";
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::information:
      return "information";
  }
  return "error";
}

}  // namespace

std::string operation_outcome(std::span<const Issue> issues) {
  static const Issue all_ok{Severity::information, "informational", "All OK", {}};
  if (issues.empty()) issues = std::span(&all_ok, 1);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("resourceType", "OperationOutcome").key("issue").begin_array();
  for (const Issue& issue : issues) {
    writer.begin_object().field("severity", to_string(issue.severity)).field("code", std::string_view(issue.code));
    if (!issue.diagnostics.empty()) writer.field("diagnostics", std::string_view(issue.diagnostics));
    if (!issue.expression.empty()) {
      writer.key("expression").begin_array().string(issue.expression).end_array();
    }
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::string operation_outcome(const Error& error) {
  const Issue issue{Severity::error, std::string(issue_code(error.code)), error.text, error.where};
  return operation_outcome(std::span(&issue, 1));
}

std::string_view issue_code(Code code) {
  switch (code) {
    case Code::invalid:
      return "invalid";
    case Code::unprocessable:
      return "processing";
    case Code::not_found:
      return "not-found";
    case Code::gone:
      return "deleted";
    case Code::conflict:
    case Code::stale:
      return "conflict";
    case Code::ambiguous:
      return "multiple-matches";
    case Code::full:
      return "no-store";
    case Code::too_large:
      return "too-long";
    case Code::too_costly:
      return "too-costly";
    case Code::refused:
      return "forbidden";
    case Code::busy:
      return "transient";
    case Code::unsupported:
      return "not-supported";
    case Code::internal:
      return "exception";
  }
  return "exception";
}

int http_status(Code code) {
  switch (code) {
    case Code::invalid:
      return 400;
    case Code::unprocessable:
      return 422;
    case Code::not_found:
      return 404;
    case Code::gone:
      return 410;
    case Code::conflict:
      return 409;
    case Code::stale:
    case Code::ambiguous:
      return 412;
    case Code::full:
      return 507;
    case Code::too_large:
      return 413;
    case Code::too_costly:
      return 422;
    case Code::refused:
      return 403;
    case Code::busy:
      return 503;
    case Code::unsupported:
      return 501;
    case Code::internal:
      return 500;
  }
  return 500;
}

}  // namespace mydr24::model
