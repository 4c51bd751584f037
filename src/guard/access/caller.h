#pragma once

// Who asks and what follows from it; made once for a session and shared by its requests.

#include <memory>
#include <string>

#include "guard/access/consent.h"
#include "guard/access/principal.h"
#include "guard/access/sight.h"

namespace mydr24::access {

struct Caller {
  Principal principal;
  std::shared_ptr<const Sight> sight = Sight::unlimited();
  // Which absolute references are local ones; null: the published one, of which none are.
  search::CataloguePtr catalogue;
  std::shared_ptr<Denials> denials;  // null: no Consent is looked at (the server itself)
  // The principal as the audit writes it (audit::principal_text); null: to be written from the principal each time.
  std::shared_ptr<const std::string> audited;
};

}  // namespace mydr24::access
