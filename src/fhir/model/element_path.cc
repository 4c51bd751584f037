#include "fhir/model/element_path.h"

#include <fmt/format.h>

#include <iterator>

namespace mydr24::model {

void append_path(std::string& out, const Step& step) {
  if (step.parent != nullptr) {
    append_path(out, *step.parent);
    out += '.';
  }
  if (step.element != nullptr && !step.element->choice.empty()) {
    fmt::format_to(std::back_inserter(out), "{}.ofType({})", step.element->choice, step.element->type->name);
  } else {
    out += step.name;
  }
  if (step.index >= 0) fmt::format_to(std::back_inserter(out), "[{}]", step.index);
}

}  // namespace mydr24::model
