#include "alerting/oncall/rota.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mydr24::oncall {
namespace {

Result<> check_channel(const notify::Address& address, const std::string& where) {
  const auto checked = notify::check_address(address);
  if (checked) return checked;
  return fail(checked.error().code, checked.error().text, where + "." + checked.error().where);
}

Result<> check_contact(const Settings& settings, std::size_t index) {
  const Contact& contact = settings.contacts[index];
  const std::string where = fmt::format("oncall.contacts[{}]", index);
  if (contact.name.empty()) return fail(Code::invalid, "the contact has no name", where + ".name");
  for (std::size_t i = 0; i < index; ++i)
    if (settings.contacts[i].name == contact.name)
      return fail(Code::invalid, fmt::format("there are two contacts named \"{}\"", contact.name), where + ".name");
  if (contact.channels.empty())
    return fail(Code::invalid, fmt::format("\"{}\" has no channel and could never be reached", contact.name),
                where + ".channels");
  if (contact.channels.size() > channels_per_contact_max)
    return fail(Code::invalid, fmt::format("more than {} channels", channels_per_contact_max), where + ".channels");
  for (std::size_t i = 0; i < contact.channels.size(); ++i)
    MYDR24_TRY(check_channel(contact.channels[i], fmt::format("{}.channels[{}]", where, i)));
  return {};
}

Result<> check_step(const Settings& settings, std::size_t index) {
  const Step& step = settings.steps[index];
  const std::string where = fmt::format("oncall.steps[{}].contacts", index);
  if (step.contacts.empty()) return fail(Code::invalid, "the step calls nobody", where);
  if (step.contacts.size() > contacts_per_step_max)
    return fail(Code::invalid, fmt::format("more than {} contacts", contacts_per_step_max), where);
  for (std::size_t i = 0; i < step.contacts.size(); ++i) {
    const auto known = std::ranges::find(settings.contacts, step.contacts[i], &Contact::name);
    if (known == settings.contacts.end())
      return fail(Code::invalid, fmt::format("\"{}\" is not among oncall.contacts", step.contacts[i]),
                  fmt::format("{}[{}]", where, i));
  }
  return {};
}

}  // namespace

Result<Rota> Rota::make(Settings settings) {
  if (settings.contacts.empty() && settings.steps.empty()) {
    settings.contacts.push_back({"console", {notify::Address{}}});
    settings.steps.push_back({{"console"}});
  }
  if (settings.contacts.size() > contacts_max)
    return fail(Code::invalid, fmt::format("more than {} contacts", contacts_max), "oncall.contacts");
  if (settings.steps.size() > steps_max)
    return fail(Code::invalid, fmt::format("more than {} steps", steps_max), "oncall.steps");
  if (settings.steps.empty())
    return fail(Code::invalid, "there are contacts but no step that calls them", "oncall.steps");
  for (std::size_t i = 0; i < settings.contacts.size(); ++i) MYDR24_TRY(check_contact(settings, i));
  for (std::size_t i = 0; i < settings.steps.size(); ++i) MYDR24_TRY(check_step(settings, i));
  return Rota(std::move(settings));
}

std::vector<const Contact*> Rota::who_answers(std::size_t step) const {
  std::vector<const Contact*> called;
  for (const std::string& name : settings_.steps[std::min(step, steps() - 1)].contacts) called.push_back(find(name));
  return called;
}

const Contact* Rota::find(std::string_view name) const {
  const auto contact = std::ranges::find(settings_.contacts, name, &Contact::name);
  return contact == settings_.contacts.end() ? nullptr : &*contact;
}

}  // namespace mydr24::oncall
