#include "storage/store/erasure.h"

namespace mydr24::store {
namespace {

Result<Eraser*> eraser_of(Transaction& transaction) {
  auto* const eraser = dynamic_cast<Eraser*>(&transaction);
  if (eraser == nullptr) return fail(Code::unsupported, "nothing is erased by a transaction that writes nothing");
  return eraser;
}

}  // namespace

Result<> begin_erasing(Transaction& transaction) {
  MYDR24_ASSIGN(auto* const eraser, eraser_of(transaction));
  return eraser->begin_erasing();
}

Result<std::int64_t> erase_bodies(Transaction& transaction, std::string_view type, std::string_view id) {
  MYDR24_ASSIGN(auto* const eraser, eraser_of(transaction));
  return eraser->erase_bodies(type, id);
}

}  // namespace mydr24::store
