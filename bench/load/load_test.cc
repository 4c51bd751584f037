#include <gtest/gtest.h>

#include "app/load/webhook.h"
#include "load/flows.h"
#include "load/generator.h"

namespace mydr24::load {
namespace {

// The receiver doubles as a server here: it answers 200 with an empty body.
TEST(Generator, CountsEveryAnswerOfEveryConnection) {
  const WebhookReceiver receiver;
  const auto make = [](std::size_t) {
    return std::make_unique<RepeatFlow>(200, [](std::string& out) { append_request(out, "POST", "/hook", "{}"); });
  };
  Generator generator(*parse_endpoint(receiver.url()), make_flows(4, make));
  const Totals first = generator.run(std::chrono::milliseconds(50));
  const Totals second = generator.run(std::chrono::milliseconds(50));
  EXPECT_TRUE(first.clean());
  EXPECT_GT(second.answers, 0U);
  EXPECT_EQ(receiver.deliveries().size(), first.answers + second.answers);
  EXPECT_EQ(second.latency.count(), second.answers);
}

TEST(Generator, TellsTheFirstAnswerThatWasNotExpected) {
  WebhookReceiver receiver;
  receiver.answer_with(503);
  const auto make = [](std::size_t) {
    return std::make_unique<RepeatFlow>(200, [](std::string& out) { append_request(out, "POST", "/hook", "{}"); });
  };
  Generator generator(*parse_endpoint(receiver.url()), make_flows(1, make));
  const Totals totals = generator.run(std::chrono::milliseconds(20));
  EXPECT_EQ(totals.answers, 0U);
  EXPECT_GT(totals.failed, 0U);
  EXPECT_NE(totals.first_problem.find("HTTP/1.1 503"), std::string::npos);
}

TEST(Generator, ARefusedConnectionIsCounted) {
  std::string url;
  {
    const WebhookReceiver gone;
    url = gone.url();
  }
  const auto make = [](std::size_t) {
    return std::make_unique<RepeatFlow>(200, [](std::string& out) { append_request(out, "GET", "/"); });
  };
  Generator generator(*parse_endpoint(url), make_flows(3, make));
  EXPECT_EQ(generator.run(std::chrono::milliseconds(20)).connection_errors, 3U);
}

}  // namespace
}  // namespace mydr24::load
