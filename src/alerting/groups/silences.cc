// Silences: what one would hold back, one person's, and those that wait for a second one.

#include <fmt/format.h>

#include <algorithm>

#include "alerting/groups/detail/inside.h"
#include "base/core/date_time.h"
#include "base/core/id.h"
#include "base/json/writer.h"

namespace mydr24::groups {
namespace {

constexpr std::uint32_t page = 1'000;
constexpr std::size_t preview_rows_max = 200'000;
constexpr std::size_t preview_names_max = 20;
constexpr std::chrono::minutes broad_max{1};   // a silence of everything needs a second person beyond this
constexpr std::int64_t silences_max = 10'000;  // expired ones that are still kept included

constexpr std::string_view one_person = "who approves is another person than who asks";

Result<> note(store::Transaction& transaction, std::string_view kind, const Silence& silence,
              std::string_view why = {}) {
  std::string payload;
  json::Writer writer(payload);
  writer.begin_object().key("silence").raw(routing::to_json(silence));
  if (!why.empty()) writer.field("why", why);
  writer.end_object();
  MYDR24_TRY(transaction.note(kind, payload));
  return {};
}

Result<> note(store::Transaction& transaction, std::string_view kind, const Proposal& proposal) {
  MYDR24_TRY(transaction.note(kind, to_json(proposal)));
  return {};
}

Result<> put_row(store::Transaction& transaction, const Silence& silence) {
  return transaction.set_state(rows::silences, silence.id, routing::to_json(silence));
}

Result<> put_row(store::Transaction& transaction, const Proposal& proposal) {
  return transaction.set_state(rows::proposals, proposal.id, to_json(proposal));
}

Result<std::optional<Silence>> row_of(store::Reader& reader, std::string_view id) {
  MYDR24_ASSIGN(const auto row, reader.state(rows::silences, id));
  if (!row) return std::optional<Silence>();
  MYDR24_ASSIGN(Silence silence, routing::silence_from_json(*row));
  return std::optional(std::move(silence));
}

Result<Proposal> from_json(std::string_view text) {
  MYDR24_ASSIGN(const auto document, json::Document::parse_view(text));
  const json::Value root = document.root();
  MYDR24_ASSIGN(Silence silence, routing::silence_from_json(json::compact(root["silence"])));
  return Proposal{.id = std::string(root["id"].text()),
                  .silence = std::move(silence),
                  .declined_by = std::string(root["declined_by"].text()),
                  .reason = std::string(root["reason"].text())};
}

// Those that have not ended, the oldest first: their ids begin with their time.
Result<std::vector<Proposal>> proposals_at(store::Reader& reader, Instant at) {
  MYDR24_ASSIGN(const auto found, reader.states(rows::proposals, "", "", page));
  std::vector<Proposal> all;
  for (const store::StateRow& row : found) {
    auto proposal = from_json(row.value);
    if (proposal && proposal->ends_at() > at) all.push_back(std::move(*proposal));
  }
  return all;
}

Result<Proposal> proposal_at(store::Reader& reader, std::string_view id, Instant at) {
  MYDR24_ASSIGN(const auto row, reader.state(rows::proposals, id));
  if (row) {
    MYDR24_ASSIGN(Proposal proposal, from_json(*row));
    if (proposal.ends_at() > at) return proposal;
  }
  return fail(Code::not_found, "there is no such proposal: it was approved or withdrawn, or its time is over");
}

// One that somebody else than who proposed it may decide.
Result<Proposal> undecided_at(store::Reader& reader, std::string_view id, std::string_view by, Instant at) {
  MYDR24_ASSIGN(Proposal proposal, proposal_at(reader, id, at));
  if (by.empty()) return fail(Code::invalid, "who decides it?", "by");
  if (by == proposal.silence.created_by) return fail(Code::refused, std::string(one_person));
  if (!proposal.waits())
    return fail(Code::conflict, fmt::format("it was declined by {}: {}", proposal.declined_by, proposal.reason));
  return proposal;
}

// In place of what the same person has proposed of the same alerts.
Result<Proposal> keep(store::Transaction& transaction, const Silence& silence, Instant at) {
  MYDR24_ASSIGN(const auto all, proposals_at(transaction, at));
  std::size_t waiting = 0;
  for (const Proposal& before : all) {
    const bool is_replaced = before.silence.created_by == silence.created_by && before.silence.same_scope(silence);
    if (is_replaced || (!before.waits() && all.size() >= proposals_max))
      MYDR24_TRY(transaction.erase_state(rows::proposals, before.id));
    else
      ++waiting;
  }
  if (waiting >= proposals_max)
    return fail(Code::conflict, fmt::format("{} proposals wait already: decide or withdraw some", waiting));
  Proposal proposal{.id = make_uuid7(at), .silence = silence, .declined_by = {}, .reason = {}};
  MYDR24_TRY(put_row(transaction, proposal));
  MYDR24_TRY(note(transaction, "silence.proposed", proposal));
  return proposal;
}

// One that cannot be read waits for nobody.
bool is_over(const store::StateRow& row, Instant at) {
  const auto proposal = from_json(row.value);
  return !proposal || proposal->ends_at() <= at;
}

// Why nobody may make it, whoever approves; empty: somebody may.
std::string_view never(const Silence& silence) {
  const auto asks_for_emergencies = [](const routing::Matcher& matcher) {
    return matcher.name() == "severity" && matcher.op() == routing::Matcher::Op::equal &&
           matcher.value() == "emergency";
  };
  if (std::ranges::any_of(silence.matchers, asks_for_emergencies)) return "emergencies are never silenced";
  return {};
}

// Checked, and with the times that it is stored with.
Result<> begin(Silence& silence, Instant at) {
  MYDR24_TRY(routing::check(silence, at));
  silence.starts_at = std::max(silence.starts_at, at);
  silence.updated_at = at;
  return {};
}

}  // namespace

std::string to_json(const Proposal& proposal) {
  std::string text;
  json::Writer writer(text);
  writer.begin_object()
      .field("id", std::string_view(proposal.id))
      .field("until", format_instant(proposal.ends_at()))
      .key("silence")
      .raw(routing::to_json(proposal.silence));
  if (!proposal.waits())
    writer.field("declined_by", std::string_view(proposal.declined_by))
        .field("reason", std::string_view(proposal.reason));
  writer.end_object();
  return text;
}

Result<Preview> Groups::preview(const Silence& silence) const {
  Preview preview;
  std::set<std::string> names;
  bool over_budget = false;
  const auto see = [&](const Labels& labels, bool firing) {
    ++preview.recent;
    if (firing) ++preview.firing;
    if (routing::severity_of(labels) == routing::Severity::urgent) ++preview.urgent;
    if (routing::is_emergency(labels) && firing) ++preview.emergency;
    if (names.size() < preview_names_max) names.emplace(labels["alertname"]);
    const Microseconds length =
        silence.windows.empty() ? silence.ends_at - silence.starts_at : Microseconds(routing::longest(silence.windows));
    over_budget |= firing && !routing::is_emergency(labels) && length > routing::silence_budget(labels);
  };
  const Instant at = now();
  std::string after;
  for (std::size_t rows_seen = 0; rows_seen < preview_rows_max;) {
    std::size_t got = 0;
    MYDR24_TRY(inside_->store_->read([&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(const auto found, reader.states(rows::alerts, "", after, page));
      got = found.size();
      if (got > 0) after = found.back().key;
      for (const store::StateRow& row : found) {
        MYDR24_ASSIGN(const Alert alert, routing::alert_from_json(row.value));
        if (routing::matches(silence.matchers, alert.labels)) see(alert.labels, !alert.is_resolved(at));
      }
      return {};
    }));
    rows_seen += got;
    if (got < page) break;
  }
  preview.names.assign(names.begin(), names.end());
  if (routing::is_broad(silence) && silence.ends_at - silence.starts_at > broad_max)
    preview.needs_second_person = "it matches every alert";
  else if (over_budget)
    preview.needs_second_person =
        "it is longer than the severity of what it would mute allows (24 h, 4 h, critical 1 h)";
  return preview;
}

// A new one, or a change of the one that its id names. `written`: what is different then.
Result<> Groups::Inside::put(store::Transaction& transaction, Silence& silence, Instant at,
                             std::vector<Silence>& written) const {
  if (!silence.id.empty()) {
    MYDR24_ASSIGN(std::optional<Silence> before, row_of(transaction, silence.id));
    if (!before) return fail(Code::not_found, "silence not found");
    // Changed in place while it says the same and has not begun otherwise; else the old one ends and a new one begins.
    const auto state = before->state(at);
    const bool in_place = before->same_scope(silence) && state != routing::SilenceState::expired &&
                          (state == routing::SilenceState::pending || silence.starts_at <= at);
    if (in_place) {
      if (state == routing::SilenceState::active) silence.starts_at = before->starts_at;
    } else {
      if (state != routing::SilenceState::expired) {
        before->ends_at = at;
        before->starts_at = std::min(before->starts_at, at);
        before->updated_at = at;
        MYDR24_TRY(put_row(transaction, *before));
        MYDR24_TRY(note(transaction, "silence.expired", *before));
        written.push_back(std::move(*before));
      }
      silence.id.clear();
    }
  }
  if (silence.id.empty()) {
    // Every one of them is asked about every alert.
    if (counters_.silences >= silences_max)
      return fail(Code::full, fmt::format("there are {} silences already: expire some", silences_max));
    silence.id = make_uuid7(at);
  }
  MYDR24_TRY(put_row(transaction, silence));
  MYDR24_TRY(note(transaction, "silence.created", silence));
  written.push_back(silence);
  return {};
}

Task<> Groups::show(std::vector<Silence> written) {
  co_await async_call<bool>([&](auto finished) {
    post([this, &written, finished = std::move(finished)](State& state, Instant) mutable {
      for (Silence& one : written) state.put(std::move(one));
      inside_->after_change();
      finished(true);
    });
  });
}

Task<Result<std::string>> Groups::put_silence(Silence silence, Preview seen, std::string who) {
  const Instant at = std::chrono::floor<milliseconds>(now());
  if (!who.empty()) {
    silence.created_by = who;
    if (!silence.approved_by.empty()) {
      const auto asked = inside_->asked_by_another(silence, who, at);
      if (!asked) co_return asked.error();
      co_return co_await approve(*asked, std::move(who));
    }
  }
  if (Result<> judged = begin(silence, at); !judged) co_return judged.error();
  std::string refusal(never(silence));
  if (refusal.empty() && !silence.approved_by.empty() && silence.approved_by == silence.created_by)
    refusal = one_person;
  const bool lacks_second = refusal.empty() && silence.approved_by.empty() && !seen.needs_second_person.empty();
  if (lacks_second)
    refusal = fmt::format(
        "{}: a second person has to approve (approvedBy). It would mute {} firing, {} in the last 30 days, {} of them "
        "urgent",
        seen.needs_second_person, seen.firing, seen.recent, seen.urgent);
  std::vector<Silence> written;
  const Result<> done =
      co_await inside_->submit(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
        if (refusal.empty()) return inside_->put(transaction, silence, at, written);
        if (lacks_second && !who.empty()) MYDR24_TRY(keep(transaction, silence, at));
        return note(transaction, "silence.refused", silence, refusal);
      });
  if (!done) co_return done.error();
  if (!refusal.empty()) co_return fail(Code::refused, refusal);
  std::string id = silence.id;
  co_await show(std::move(written));
  co_return id;
}

Task<Result<>> Groups::expire_silence(std::string id) {
  const Instant at = std::chrono::floor<milliseconds>(now());
  std::vector<Silence> changed;
  const Result<> done =
      co_await inside_->submit(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
        MYDR24_ASSIGN(std::optional<Silence> silence, row_of(transaction, id));
        if (!silence) return fail(Code::not_found, "silence not found");
        if (silence->state(at) == routing::SilenceState::expired) return {};
        silence->starts_at = std::min(silence->starts_at, at);
        silence->ends_at = at;
        silence->updated_at = at;
        MYDR24_TRY(put_row(transaction, *silence));
        MYDR24_TRY(note(transaction, "silence.expired", *silence));
        changed.push_back(std::move(*silence));
        return {};
      });
  if (!done) co_return done.error();
  if (!changed.empty()) co_await show(std::move(changed));
  co_return Result<>();
}

Result<std::vector<Proposal>> Groups::proposals() const {
  std::vector<Proposal> all;
  MYDR24_TRY(inside_->store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(all, proposals_at(reader, now()));
    return {};
  }));
  return all;
}

// The id of what somebody else has proposed in the same words, the newest.
Result<std::string> Groups::Inside::asked_by_another(const Silence& silence, std::string_view who, Instant at) const {
  std::vector<Proposal> all;
  MYDR24_TRY(store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(all, proposals_at(reader, at));
    return {};
  }));
  std::erase_if(all, [&](const Proposal& each) { return !each.waits() || !each.silence.same_scope(silence); });
  if (all.empty())
    return fail(Code::refused, "nobody has proposed this silence: one person proposes it, another approves it");
  std::erase_if(all, [&](const Proposal& each) { return each.silence.created_by == who; });
  if (all.empty()) return fail(Code::refused, std::string(one_person));
  return all.back().id;
}

Task<Result<Proposal>> Groups::propose(Silence silence) {
  const Instant at = std::chrono::floor<milliseconds>(now());
  if (silence.created_by.empty()) co_return fail(Code::invalid, "who proposes it?", "createdBy");
  silence.approved_by.clear();
  if (Result<> judged = begin(silence, at); !judged) co_return judged.error();
  const std::string_view refusal = never(silence);
  Proposal proposal;
  const Result<> done =
      co_await inside_->submit(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
        if (!refusal.empty()) return note(transaction, "silence.refused", silence, refusal);
        MYDR24_ASSIGN(proposal, keep(transaction, silence, at));
        return {};
      });
  if (!done) co_return done.error();
  if (!refusal.empty()) co_return fail(Code::refused, std::string(refusal));
  co_return proposal;
}

Task<Result<std::string>> Groups::approve(std::string id, std::string by) {
  const Instant at = std::chrono::floor<milliseconds>(now());
  std::string made;
  std::vector<Silence> written;
  const Result<> done =
      co_await inside_->submit(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
        MYDR24_ASSIGN(Proposal proposal, undecided_at(transaction, id, by, at));
        Silence& silence = proposal.silence;
        silence.approved_by = by;
        MYDR24_TRY(begin(silence, at));
        MYDR24_TRY(transaction.erase_state(rows::proposals, id));
        MYDR24_TRY(inside_->put(transaction, silence, at, written));
        made = silence.id;
        return {};
      });
  if (!done) co_return done.error();
  co_await show(std::move(written));
  co_return made;
}

Task<Result<>> Groups::decline(std::string id, std::string by, std::string reason) {
  const Instant at = std::chrono::floor<milliseconds>(now());
  if (reason.empty() || reason.size() > decline_reason_max)
    co_return fail(Code::invalid, fmt::format("a reason of 1 to {} bytes", decline_reason_max), "reason");
  co_return co_await inside_->submit(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(Proposal proposal, undecided_at(transaction, id, by, at));
    proposal.declined_by = by;
    proposal.reason = reason;
    MYDR24_TRY(put_row(transaction, proposal));
    return note(transaction, "silence.declined", proposal);
  });
}

Task<Result<>> Groups::withdraw(std::string id, std::string by) {
  const Instant at = std::chrono::floor<milliseconds>(now());
  co_return co_await inside_->submit(RequestClass::urgent, [&](store::Transaction& transaction) -> Result<> {
    MYDR24_ASSIGN(const Proposal proposal, proposal_at(transaction, id, at));
    if (proposal.silence.created_by != by)
      return fail(Code::refused, fmt::format("{} proposed it, and alone withdraws it", proposal.silence.created_by));
    MYDR24_TRY(transaction.erase_state(rows::proposals, id));
    return note(transaction, "silence.withdrawn", proposal);
  });
}

// Those whose time is over; what nobody decided is noted.
void Groups::Inside::end_proposals(Instant at) {
  bool any = false;
  const auto read = store_->read([&](store::Reader& reader) -> Result<> {
    MYDR24_ASSIGN(const auto found, reader.states(rows::proposals, "", "", page));
    any = std::ranges::any_of(found, [&](const store::StateRow& row) { return is_over(row, at); });
    return {};
  });
  if (!read || !any) return;
  add_busy();
  store_->submit(
      RequestClass::background,
      [at](store::Transaction& transaction) -> Result<> {
        MYDR24_ASSIGN(const auto found, transaction.states(rows::proposals, "", "", page));
        for (const store::StateRow& row : found) {
          if (!is_over(row, at)) continue;
          MYDR24_TRY(transaction.erase_state(rows::proposals, row.key));
          if (const auto proposal = from_json(row.value); proposal && proposal->waits())
            MYDR24_TRY(note(transaction, "silence.lapsed", *proposal));
        }
        return {};
      },
      [this](const Result<>&) { end_busy(); });
}

}  // namespace mydr24::groups
