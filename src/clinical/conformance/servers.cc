#include "clinical/conformance/servers.h"

#include <utility>
#include <vector>

#include "base/core/id.h"
#include "base/json/writer.h"
#include "clinical/conformance/progress_row.h"

namespace mydr24::conformance {
namespace {

constexpr std::string_view change_space = "conformance";
constexpr std::string_view change_key = "changed";
constexpr std::string_view servers_space = "conformance.servers";
constexpr std::uint32_t servers_max = 1'000;
// A process that answers nothing for so long does not run any more, or stands still.
constexpr std::chrono::seconds silence_max{30};
// It may have been left out, and has to look: well before the silence ends.
constexpr std::chrono::seconds sure_for{10};

}  // namespace

Result<std::int64_t> last_change(store::Reader& reader) {
  MYDR24_ASSIGN(const auto row, reader.state(change_space, change_key));
  if (!row) return 0;
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(*row));
  return number_of(document.root());
}

Result<> note_change(store::Transaction& transaction, std::int64_t change) {
  return transaction.set_state(change_space, change_key, std::to_string(change));
}

Servers::Servers(store::Store& store, const Clock& clock)
    : store_(store), clock_(clock), key_(make_uuid7(clock.now())) {}

Result<> Servers::answer(std::int64_t change) {
  const auto now = clock_.steady();
  MYDR24_TRY(store_.write(RequestClass::emergency, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto row, transaction.state(servers_space, key_));
    if (!row) {
      MYDR24_ASSIGN(const auto last, last_change(transaction));
      if (last != change) return fail(Code::stale, "this server was left out: it reads the definitions first");
    }
    std::string text;
    json::Writer(text).begin_object().field("change", change).field("answer", ++answers_).end_object();
    return transaction.set_state(servers_space, key_, text);
  }));
  seen_alive_ = now.count();
  return {};
}

Result<> Servers::forget_others() {
  if (store_.is_shared()) return {};
  return store_.write(RequestClass::background, [](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const auto rows, transaction.states(servers_space, "", "", servers_max));
    for (const auto& row : rows) MYDR24_TRY(transaction.erase_state(servers_space, row.key));
    return {};
  });
}

Result<> Servers::go_by(std::int64_t change) {
  MYDR24_TRY(answer(change));
  change_ = change;
  return {};
}

Result<> Servers::be_slow() { return store_.is_shared() ? answer(change_) : Result<>(); }

void Servers::leave() {
  if (!store_.is_shared()) return;
  seen_alive_ = -std::chrono::nanoseconds(sure_for).count();
  (void)store_.write(RequestClass::background,
                     [&](store::Transaction& transaction) { return transaction.erase_state(servers_space, key_); });
}

Result<> Servers::check(store::Transaction& transaction) const {
  if (clock_.steady().count() < seen_alive_ + std::chrono::nanoseconds(sure_for).count()) return {};
  MYDR24_ASSIGN(const auto row, transaction.state(servers_space, key_));
  if (row) return {};
  return fail(Code::busy, "this server stood still, and reads the definitions that are in force now: try again");
}

Result<bool> Servers::all_go_by(std::int64_t change) {
  const auto now = clock_.steady();
  std::map<std::string, Heard> behind;
  MYDR24_TRY(store_.read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto rows, reader.states(servers_space, "", "", servers_max));
    for (const auto& row : rows) {
      MYDR24_ASSIGN(const auto document, json::Document::parse_view(row.value));
      if (number_of(document.root()["change"]) < change) behind.emplace(row.key, Heard{row.value, now});
    }
    return {};
  }));
  std::vector<std::string> silent;
  for (auto& [key, heard] : behind) {
    const auto before = heard_.find(key);
    if (before == heard_.end() || before->second.value != heard.value) continue;
    heard.at = before->second.at;
    if (now - heard.at >= silence_max) silent.push_back(key);
  }
  heard_ = std::move(behind);
  if (silent.empty()) return heard_.empty();
  MYDR24_TRY(store_.write(RequestClass::background, [&](store::Transaction& transaction) -> Result<> {
    for (const auto& key : silent) {
      MYDR24_ASSIGN(const auto row, transaction.state(servers_space, key));
      if (row == heard_.at(key).value) MYDR24_TRY(transaction.erase_state(servers_space, key));
    }
    return {};
  }));
  return false;  // it is looked again
}

}  // namespace mydr24::conformance
