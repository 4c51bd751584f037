#include <ostream>

#include "app/cli/commands.h"
#include "base/json/writer.h"
#include "fhir/model/definitions.h"

namespace mydr24::cli {

int run_version(const Terminal& terminal) {
  if (terminal.json) {
    std::string text;
    json::Writer writer(text);
    writer.begin_object().field("schema", "mydr24.version.v1").field("version", product_version);
    writer.field("fhir", model::fhir_version).field("compiler", __VERSION__).end_object();
    terminal.out << text << '\n';
  } else {
    terminal.out << "mydr24 " << product_version << "  FHIR " << model::fhir_version << '\n';
  }
  return static_cast<int>(Exit::ok);
}

}  // namespace mydr24::cli
