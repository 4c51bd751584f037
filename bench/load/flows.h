#pragma once

// The flows that more than one program needs.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "load/generator.h"

namespace mydr24::load {

// Requests without memory: each made by `make`, right when it is answered with `status`.
class RepeatFlow : public Flow {
 public:
  RepeatFlow(int status, std::function<void(std::string&)> make) : status_(status), make_(std::move(make)) {}
  bool next(std::string& out) override {
    make_(out);
    return true;
  }
  bool answered(const Answer& answer) override { return answer.status == status_; }

 private:
  int status_;
  std::function<void(std::string&)> make_;
};

// One flow for each connection.
template <class MakeFlow>
std::vector<std::unique_ptr<Flow>> make_flows(std::size_t count, MakeFlow&& make) {
  std::vector<std::unique_ptr<Flow>> flows;
  for (std::size_t i = 0; i < count; ++i) flows.push_back(make(i));
  return flows;
}

}  // namespace mydr24::load
