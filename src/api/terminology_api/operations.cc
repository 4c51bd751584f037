#include "api/terminology_api/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "api/terminology_api/input.h"
#include "api/terminology_api/interactions.h"

namespace mydr24::terminology_api {
namespace {

struct Row {
  std::string_view type, operation;
  bool on_instance;
  Result<std::string> (*run)(const terminology::Terminology& terminology, const Input& input);
};

constexpr auto rows = std::to_array<Row>({
    {"ValueSet", "$expand", true, expand},
    {"ValueSet", "$validate-code", true, validate_in_value_set},
    {"CodeSystem", "$validate-code", true, validate_in_code_system},
    {"CodeSystem", "$lookup", false, lookup},
    {"CodeSystem", "$subsumes", true, subsumes},
    {"ConceptMap", "$translate", true, translate},
});

const Row* find(std::string_view type, std::string_view operation, bool on_instance) {
  const auto found = std::ranges::find_if(rows, [&](const Row& row) {
    return row.type == type && row.operation == operation && (row.on_instance || !on_instance);
  });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

bool has_operation(std::string_view type, std::string_view operation, bool on_instance) {
  return find(type, operation, on_instance) != nullptr;
}

Result<std::string> run(const terminology::Terminology& terminology, const Request& request) {
  const Row* row = find(request.type, request.operation, request.instance.exists());
  if (row == nullptr) {
    return fail(Code::unsupported, fmt::format("{} has no operation {} {}", request.type, request.operation,
                                               request.instance ? "on a resource" : "on the type"));
  }
  return row->run(terminology, Input(request));
}

}  // namespace mydr24::terminology_api
