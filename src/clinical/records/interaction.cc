#include "clinical/records/interaction.h"

#include <fmt/format.h>

#include <set>
#include <unordered_map>

#include "base/core/id.h"
#include "base/json/patch.h"
#include "clinical/records/rewrite.h"
#include "fhir/patch/patch.h"
#include "storage/store/traced.h"

namespace mydr24::records {
namespace {

constexpr int plans_max = 3;

// One interaction made ready. Everything in `expected` is checked again inside the transaction.
struct Step {
  const Interaction* interaction = nullptr;
  std::string type;
  std::string id;
  std::optional<std::string> match;  // the id that the condition found
  bool existed = false;              // a conditional create whose resource is there already
  bool absent = false;               // a conditional delete without a match
  Prepared prepared;                 // create, update, patch
  Precondition precondition;
};

struct Plan {
  std::vector<Step> steps;
  bool overtaken = false;  // set by commit: what the plan rested on has changed
};

// The one id that the criteria find, none, or Code::ambiguous when they find several.
Result<std::optional<std::string>> match_one(store::Reader& reader, search::Query query) {
  query.count = 2;
  query.total = search::Total::none;
  MYDR24_ASSIGN(const auto page, reader.search(query));
  if (page.matches.empty()) return std::optional<std::string>();
  if (page.matches.size() > 1) {
    return fail(Code::ambiguous, "the criteria match more than one resource: make them more selective");
  }
  return std::optional(page.matches.front().id);
}

Rejection at(Rejection rejection, const Interaction& interaction) {
  if (interaction.where.empty()) return rejection;
  for (auto& issue : rejection.issues) {
    issue.expression = issue.expression.empty() ? interaction.where
                                                : fmt::format("{}.resource.{}", interaction.where, issue.expression);
  }
  return rejection;
}

class Planner {
 public:
  Planner(const Records& records, store::Reader* reader, const std::vector<Interaction>& interactions)
      : records_(records), reader_(reader), interactions_(interactions) {}

  Accepted<Plan> plan() {
    for (const auto& interaction : interactions_) {
      Step step;
      step.interaction = &interaction;
      step.type = interaction.type;
      if (auto found = find_target(step); !found)
        return std::unexpected(at(reject(std::move(found).error()), interaction));
      plan_.steps.push_back(std::move(step));
    }
    if (auto once = each_once(); !once) return std::unexpected(std::move(once).error());
    for (auto& step : plan_.steps) {
      if (auto made = make_ready(step); !made) return std::unexpected(at(std::move(made).error(), *step.interaction));
    }
    return std::move(plan_);
  }

 private:
  json::Value own_id(const Interaction& interaction) const { return interaction.resource["id"]; }

  Result<> find_target(Step& step) {
    const auto& interaction = *step.interaction;
    step.id = interaction.id;
    if (interaction.condition) {
      MYDR24_ASSIGN(step.match, match_one(*reader_, *interaction.condition));
    }
    switch (interaction.verb) {
      case Verb::create:
        step.existed = step.match.has_value();
        step.id = step.match.value_or(make_uuid7(records_.clock().now()));
        step.precondition.must_not_exist = true;
        step.precondition.by_create = true;
        break;
      case Verb::update:
        if (interaction.condition) step.id = step.match.value_or(std::string());
        step.precondition.version = interaction.if_match;
        step.precondition.must_not_exist = interaction.if_none_match_any;
        break;
      case Verb::patch:
      case Verb::remove:
        if (!interaction.condition) break;
        if (!step.match && interaction.verb == Verb::patch) {
          return fail(Code::not_found, "no resource matches the criteria of the patch");
        }
        step.absent = !step.match;
        step.id = step.match.value_or(std::string());
        break;
    }
    if (interaction.verb == Verb::remove) step.precondition.version = interaction.if_match;
    if (interaction.verb == Verb::update && step.id.empty()) {
      const auto own = own_id(interaction);
      step.id = own.is_string() ? std::string(own.text()) : make_uuid7(records_.clock().now());
    }
    if (!interaction.full_url.empty() && !step.id.empty()) {
      targets_.emplace(interaction.full_url, fmt::format("{}/{}", step.type, step.id));
    }
    return {};
  }

  Accepted<bool> each_once() const {
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const auto& step : plan_.steps) {
      if (step.absent || step.existed || seen.emplace(step.type, step.id).second) continue;
      return std::unexpected(
          at(reject(fail(Code::invalid, fmt::format("{}/{} is written twice in one transaction", step.type, step.id))),
             *step.interaction));
    }
    return true;
  }

  Accepted<bool> make_ready(Step& step) {
    if (step.existed || step.absent || step.interaction->verb == Verb::remove) return true;
    if (step.interaction->verb == Verb::patch) return patch(step);
    auto text = step.interaction->text;
    if (step.interaction->resource) {
      auto rewritten = rewrite_references(step.interaction->resource, targets_,
                                          [this](std::string_view reference) { return find_reference(reference); });
      if (!rewritten) return std::unexpected(reject(std::move(rewritten).error()));
      text = std::move(*rewritten);
    }
    const auto& interaction = *step.interaction;
    const bool create = interaction.verb == Verb::create;
    auto prepared = records_.prepare(std::move(text), {.type = step.type,
                                                       .id = step.id,
                                                       .ignore_own_id = create,
                                                       .demand_own_id = !create && !interaction.condition});
    if (!prepared) return std::unexpected(std::move(prepared).error());
    step.prepared = std::move(*prepared);
    if (interaction.condition && step.match) {
      const auto own = step.prepared.document->root()["id"];
      if (!create && own && own.text() != *step.match) {
        return std::unexpected(
            reject(fail(Code::invalid, fmt::format("the criteria match {}/{}, the body has the id \"{}\"", step.type,
                                                   *step.match, own.text()))));
      }
    }
    return true;
  }

  Accepted<bool> patch(Step& step) {
    auto there = reader_->current(step.type, step.id);
    if (!there) return std::unexpected(reject(std::move(there).error()));
    if (!*there || (*there)->action == store::Action::remove) {
      return std::unexpected(
          reject(fail(*there ? Code::gone : Code::not_found, fmt::format("{}/{} does not exist", step.type, step.id))));
    }
    if (step.interaction->if_match && *step.interaction->if_match != (*there)->version) {
      return std::unexpected(
          reject(fail(Code::stale, fmt::format("If-Match asks for version {}, but the current version is {}",
                                               *step.interaction->if_match, (*there)->version))));
    }
    auto patched = apply(**there, step.interaction->text);
    if (!patched) return std::unexpected(reject(std::move(patched).error()));
    auto prepared = records_.prepare(std::move(*patched), {.type = step.type, .id = step.id, .demand_own_id = true});
    if (!prepared) return std::unexpected(std::move(prepared).error());
    step.prepared = std::move(*prepared);
    step.precondition.version = (*there)->version;
    return true;
  }

  static Result<std::string> apply(const store::Version& there, std::string_view patch_text) {
    MYDR24_ASSIGN(const auto patch, json::Document::parse_view(patch_text));
    MYDR24_ASSIGN(const auto document, json::Document::parse(render(there)));
    // A FHIRPath Patch is a Parameters resource, a JSON Patch an array.
    if (patch.root().is_object()) return patch::apply_path_patch(document, patch.root());
    return json::apply_patch(document, patch);
  }

  // A conditional reference inside a transaction: "Patient?identifier=s|v" becomes the one resource that it finds.
  Result<std::string> find_reference(std::string_view reference) {
    MYDR24_ASSIGN(const auto query, parse_criteria(reference, records_.definitions()->catalogue));
    MYDR24_ASSIGN(const auto id, match_one(*reader_, query));
    if (!id) return fail(Code::stale, fmt::format("the conditional reference \"{}\" matches no resource", reference));
    return fmt::format("{}/{}", query.type, *id);
  }

  const Records& records_;
  store::Reader* reader_;  // null when nothing needs to be read: a single unconditional write
  const std::vector<Interaction>& interactions_;
  ReferenceTargets targets_;
  Plan plan_;
};

Accepted<Plan> make_plan(const Records& records, access::Access& access, const std::vector<Interaction>& interactions) {
  const bool needs_reader = interactions.size() > 1 || interactions.front().condition ||
                            interactions.front().resource || interactions.front().verb == Verb::patch;
  std::optional<Accepted<Plan>> plan;
  if (!needs_reader) return Planner(records, nullptr, interactions).plan();
  const auto read = access.read(records.store(), [&](store::Reader& reader) -> Result<> {
    plan = Planner(records, &reader, interactions).plan();
    return {};
  });
  if (!read) return std::unexpected(reject(read.error()));
  return std::move(*plan);
}

Error overtake(Plan& plan) {
  plan.overtaken = true;
  return fail(Code::conflict, "other writers changed the same resources at the same time: try again");
}

Result<> check_conditions(store::Transaction& transaction, access::Access& access, Plan& plan) {
  for (const auto& step : plan.steps) {
    if (!step.interaction->condition) continue;
    std::optional<std::string> match;
    MYDR24_TRY(access.read(transaction, [&](store::Reader& reader) -> Result<> {
      MYDR24_ASSIGN(match, match_one(reader, *step.interaction->condition));
      return {};
    }));
    if (match != step.match) return overtake(plan);
  }
  return {};
}

Result<Effect> carry_out(const Records& records, access::Access& access, store::Transaction& transaction, Plan& plan,
                         Step& step) {
  Effect effect;
  effect.version.type = step.type;
  effect.version.id = step.id;
  if (step.absent) {
    effect.kind = Effect::Kind::absent;
    return effect;
  }
  if (step.existed) {
    MYDR24_ASSIGN(auto there, transaction.current(step.type, step.id));
    if (!there) return overtake(plan);
    effect.kind = Effect::Kind::existed;
    effect.version = std::move(*there);
    return effect;
  }
  if (step.interaction->verb == Verb::remove) {
    MYDR24_ASSIGN(const auto written, records.remove(transaction, step.type, step.id, step.precondition, access));
    effect.kind = written ? Effect::Kind::removed : Effect::Kind::absent;
    if (written) {
      effect.version.version = written->version;
      effect.version.at = written->at;
      effect.version.sequence = written->sequence;
      effect.version.action = store::Action::remove;
    }
    return effect;
  }
  const auto outcome = records.put(transaction, step.prepared, step.precondition, access);
  if (!outcome) {
    const bool ours = step.interaction->verb == Verb::patch && !step.interaction->if_match;
    if (ours && outcome.error().code == Code::stale) return overtake(plan);
    return outcome.error();
  }
  effect.kind = outcome->unchanged                         ? Effect::Kind::unchanged
                : outcome->action == store::Action::create ? Effect::Kind::created
                                                           : Effect::Kind::updated;
  effect.version.version = outcome->written.version;
  effect.version.sequence = outcome->written.sequence;
  effect.version.at = outcome->written.at;
  effect.version.action = outcome->action;
  effect.version.meta_at = step.prepared.meta_at;
  return effect;
}

Result<> commit(const Records& records, access::Access& access, store::Transaction& transaction, Plan& plan,
                std::vector<Effect>& effects) {
  MYDR24_TRY(check_conditions(transaction, access, plan));
  effects.assign(plan.steps.size(), {});
  access.begin_writes(transaction);
  // FHIR R4, http.html#trules: DELETE, then POST, then PUT and PATCH.
  for (const auto verb : {Verb::remove, Verb::create, Verb::update, Verb::patch}) {
    for (std::size_t i = 0; i < plan.steps.size(); ++i) {
      if (plan.steps[i].interaction->verb != verb) continue;
      auto effect = carry_out(records, access, transaction, plan, plan.steps[i]);
      if (!effect) {
        auto error = std::move(effect).error();
        if (error.where.empty()) error.where = plan.steps[i].interaction->where;
        return error;
      }
      effects[i] = std::move(*effect);
    }
  }
  return access.end_writes(transaction);
}

// The stored texts, once it is sure that they are stored.
void hand_over_texts(Plan& plan, std::vector<Effect>& effects) {
  for (std::size_t i = 0; i < effects.size(); ++i) {
    if (effects[i].version.body.empty()) effects[i].version.body = std::move(plan.steps[i].prepared.text);
  }
}

}  // namespace

Task<Accepted<std::vector<Effect>>> execute(const Records& records, access::Access& access, RequestClass request_class,
                                            const std::vector<Interaction>& interactions, WorkerPool* planner) {
  if (interactions.empty()) co_return std::vector<Effect>();
  for (int attempt = 1;; ++attempt) {
    auto plan = planner != nullptr
                    ? co_await planner->run(request_class, [&] { return make_plan(records, access, interactions); })
                    : make_plan(records, access, interactions);
    if (!plan) co_return std::unexpected(std::move(plan).error());
    std::vector<Effect> effects;
    const auto work = [&](store::Transaction& transaction) {
      return commit(records, access, transaction, *plan, effects);
    };
    const auto done = co_await async_call<Result<>>(
        [&](auto finish) { store::submit(records.store(), access.trace(), request_class, work, std::move(finish)); });
    if (done) {
      hand_over_texts(*plan, effects);
      co_return effects;
    }
    if (!plan->overtaken || attempt == plans_max) {
      records.not_stored(done.error(), work);
      co_return std::unexpected(reject(done.error()));
    }
  }
}

Accepted<std::vector<Effect>> execute_blocking(const Records& records, access::Access& access,
                                               RequestClass request_class,
                                               const std::vector<Interaction>& interactions) {
  if (interactions.empty()) return std::vector<Effect>();
  for (int attempt = 1;; ++attempt) {
    auto plan = make_plan(records, access, interactions);
    if (!plan) return std::unexpected(std::move(plan).error());
    std::vector<Effect> effects;
    const auto work = [&](store::Transaction& transaction) {
      return commit(records, access, transaction, *plan, effects);
    };
    const auto done = records.store().write(request_class, work);
    if (done) {
      hand_over_texts(*plan, effects);
      return effects;
    }
    if (!plan->overtaken || attempt == plans_max) {
      records.not_stored(done.error(), work);
      return std::unexpected(reject(done.error()));
    }
  }
}

}  // namespace mydr24::records
