#pragma once

// Logging in, by itself and on the way to an agreement. Private to api/oauth_api.

#include "api/oauth_api/detail/pages.h"

namespace mydr24::oauth_api {

// The person whose session of our page the request has; nothing when there is none that stands.
std::optional<access::Principal> page_person(Service& service, const net::Request& request);

// Where a login form is sent, and where it leads when it is right.
struct LoginPlace {
  std::string action;
  std::string request;  // carried along in the hidden field "request"
  std::string to;
};

Task<> show_login(Service& service, pipeline::Call& call, const LoginPlace& place, std::string_view message = {},
                  std::string_view name = {}, int status = 200);
// A posted form of show_login(), or of the enrolment that may follow it; its proof was checked.
Task<> answer_login(Service& service, pipeline::Call& call, const Form& form, const LoginPlace& place);

}  // namespace mydr24::oauth_api
