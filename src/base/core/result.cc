#include "base/core/result.h"

namespace mydr24 {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::invalid:
      return "invalid";
    case Code::unprocessable:
      return "unprocessable";
    case Code::not_found:
      return "not-found";
    case Code::gone:
      return "gone";
    case Code::conflict:
      return "conflict";
    case Code::stale:
      return "stale";
    case Code::ambiguous:
      return "ambiguous";
    case Code::full:
      return "full";
    case Code::too_large:
      return "too-large";
    case Code::too_costly:
      return "too-costly";
    case Code::refused:
      return "refused";
    case Code::busy:
      return "busy";
    case Code::unsupported:
      return "unsupported";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace mydr24
