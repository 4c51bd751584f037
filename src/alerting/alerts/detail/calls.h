#pragma once

// The calls about one alert: who is called now by which method, what their own rules add later, and how all of it stops.
// The alert is changed and not saved. Private to alerting/alerts.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alerting/alerts/alert.h"
#include "alerting/oncall/plan.h"
#include "storage/store/store.h"

namespace mydr24::alerts::calls {

// The time of the transaction as the rows keep it: an alert read back must be the alert that was written.
Instant stamp(const store::Transaction& transaction);

std::string timer_key(std::string_view alert_id);
std::string rule_key(std::string_view alert_id, std::string_view contact);  // of a row and of its timer

// Whether the conditions of a step count. They never do for an emergency.
enum class Conditions : std::uint8_t { count, pass };

// Calls the alert's step and sets the timer of what follows. While something holds it (maintenance; for emergencies an
// override) or it rests (oncall::IfTime), nobody is called and the timer is at the end of that.
Result<std::vector<Delivery>> call_step(store::Transaction& transaction, const oncall::Plan& plan, Alert& alert,
                                        Conditions conditions = Conditions::count);

// Chooses the step that is called after the alert's: the next one; after the last the first, as long as the policy is
// repeated, then the last again and again; and the same again while the next one waits for a number of alerts.
Result<> go_on(store::Transaction& transaction, const oncall::Policy& policy, Alert& alert, Conditions conditions);

// What the contact's own rules say by now: rules that are due together by one method are one call.
Result<std::vector<Delivery>> call_rules(store::Transaction& transaction, const oncall::Plan& plan, Alert& alert,
                                         std::string_view contact);

// A call of one contact by each of `methods`.
Result<> put_calls(store::Transaction& transaction, Alert& alert, const oncall::Contact& contact,
                   const std::vector<std::size_t>& methods, Instant due_at, std::vector<Delivery>& deliveries);

// A delivery that will never be: the first of the contact's methods that was not tried in this round is used at once,
// however late their own rules would have it. Nothing when the alert has gone on meanwhile.
Result<> call_another_way(store::Transaction& transaction, const oncall::Plan& plan, const Delivery& refused);

// The timers of the contacts' rules, by a plan that has changed.
Result<> arm_rules(store::Transaction& transaction, const oncall::Plan& plan, const Alert& alert);

// Nobody is to be called about it any more; `who` not empty: that contact only, and the alert keeps its timer.
Result<> stop(store::Transaction& transaction, Alert& alert, std::string_view why, std::string_view who = {});

}  // namespace mydr24::alerts::calls
