#include "alerting/oncall/settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerting/oncall/fields.h"
#include "base/json/writer.h"

namespace mydr24::oncall {
namespace {

Result<> check_contact(const Settings& settings, std::size_t index) {
  const SettingsContact& contact = settings.contacts[index];
  const std::string where = fmt::format("oncall.contacts[{}]", index);
  if (contact.name.empty()) return fail(Code::invalid, "the contact has no name", where + ".name");
  if (!is_name(contact.name))
    return fail(Code::invalid, fmt::format("a name has 1 to {} bytes and no slash", name_bytes_max), where + ".name");
  for (std::size_t i = 0; i < index; ++i)
    if (settings.contacts[i].name == contact.name)
      return fail(Code::invalid, fmt::format("there are two contacts named \"{}\"", contact.name), where + ".name");
  if (contact.channels.empty())
    return fail(Code::invalid, fmt::format("\"{}\" has no channel and could never be reached", contact.name),
                where + ".channels");
  if (contact.channels.size() > methods_max)
    return fail(Code::invalid, fmt::format("more than {} channels", methods_max), where + ".channels");
  for (std::size_t i = 0; i < contact.channels.size(); ++i)
    if (auto checked = notify::check_address(contact.channels[i]); !checked) {
      Error error = std::move(checked).error();
      error.where = fmt::format("{}.channels[{}].{}", where, i, error.where);
      return error;
    }
  return {};
}

Result<> check_step(const Settings& settings, std::size_t index) {
  const SettingsStep& step = settings.steps[index];
  const std::string where = fmt::format("oncall.steps[{}].contacts", index);
  if (step.contacts.empty()) return fail(Code::invalid, "the step calls nobody", where);
  if (step.contacts.size() > targets_max)
    return fail(Code::invalid, fmt::format("more than {} contacts", targets_max), where);
  for (std::size_t i = 0; i < step.contacts.size(); ++i)
    if (std::ranges::find(settings.contacts, step.contacts[i], &SettingsContact::name) == settings.contacts.end())
      return fail(Code::invalid, fmt::format("\"{}\" is not among oncall.contacts", step.contacts[i]),
                  fmt::format("{}[{}]", where, i));
  return {};
}

std::string contact_document(const SettingsContact& contact) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("name", contact.name).key("methods").begin_array();
  for (const notify::Address& address : contact.channels) {
    writer.begin_object().field("kind", to_string(address.kind));
    if (!address.target.empty()) writer.field("target", address.target);
    if (!address.secret.empty()) writer.field("secret", address.secret);
    writer.field("verified", true).end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::string policy_document(const Settings& settings) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("name", "default").key("steps").begin_array();
  for (const SettingsStep& step : settings.steps) {
    writer.begin_object().key("targets").begin_array();
    for (const std::string& name : step.contacts) writer.string("contact:" + name);
    writer.end_array().field("delay_s", settings.escalate_after.count()).end_object();
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace

Result<Documents> documents_of(const Settings& from) {
  Settings settings = from;
  if (settings.contacts.empty() && settings.steps.empty()) {
    settings.contacts.push_back({"console", {notify::Address{}}});
    settings.steps.push_back({{"console"}});
  }
  if (settings.contacts.size() > 1000) return fail(Code::invalid, "more than 1000 contacts", "oncall.contacts");
  if (settings.steps.size() > steps_max)
    return fail(Code::invalid, fmt::format("more than {} steps", steps_max), "oncall.steps");
  if (settings.steps.empty())
    return fail(Code::invalid, "there are contacts but no step that calls them", "oncall.steps");
  for (std::size_t i = 0; i < settings.contacts.size(); ++i) MYDR24_TRY(check_contact(settings, i));
  for (std::size_t i = 0; i < settings.steps.size(); ++i) MYDR24_TRY(check_step(settings, i));
  Documents documents;
  for (const SettingsContact& contact : settings.contacts)
    documents["contact/" + contact.name] = contact_document(contact);
  documents["policy/default"] = policy_document(settings);
  documents["defaults/main"] = R"({"policy":{"emergency":"default","urgent":"default","advisory":"default"}})";
  return documents;
}

}  // namespace mydr24::oncall
