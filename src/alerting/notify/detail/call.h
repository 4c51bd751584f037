#pragma once

// One HTTP call of a provider and what its answer means. Private to alerting/notify.

#include <string>
#include <string_view>

#include "alerting/notify/channel.h"
#include "alerting/notify/providers.h"
#include "base/net/client.h"

namespace mydr24::notify {

inline constexpr std::size_t provider_answer_bytes_max = 64U << 10;

// A POST to base_url + path. Code::invalid: the URL cannot be used.
Result<net::ClientRequest> post_request(std::string_view base_url, std::string_view path, std::string_view content_type,
                                        std::chrono::milliseconds time_max);

// What an answer, or none, means. `who` for the text: "the SMS gateway".
SendOutcome outcome_of(const Result<net::ClientResponse>& answer, std::string_view who);

// What the templates may say of a message.
Fields fields_of(const Message& message, const Providers& providers);

// The sentence of a message that is no call: "Your code is 123456 ...", "Acknowledged by ...". Empty for a call.
std::string notice_of(const Message& message, const Providers& providers);

// https://desk.example.org/ack/TOKEN; empty without link_base or token.
std::string ack_link(const Message& message, const Providers& providers);

// An application/x-www-form-urlencoded body, written a field at a time.
void add_field(std::string& form, std::string_view name, std::string_view value);

// One file each. The client belongs to the channel's io_context.
struct ChannelParts {
  Address address;
  const Providers& providers;
  std::unique_ptr<net::Client> client;
  const Clock& clock;
};
Result<std::unique_ptr<Channel>> make_sms(ChannelParts parts);
Result<std::unique_ptr<Channel>> make_voice(ChannelParts parts);
Result<std::unique_ptr<Channel>> make_chat(ChannelParts parts);
Result<std::unique_ptr<Channel>> make_pagerduty(ChannelParts parts);
Result<std::unique_ptr<Channel>> make_mail(ChannelParts parts);

}  // namespace mydr24::notify
