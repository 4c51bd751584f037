#include <gtest/gtest.h>

#include <semaphore>

#include "base/async/when_all.h"
#include "base/async/worker_pool.h"

namespace mydr24 {
namespace {

TEST(WorkerPool, ACoroutineGetsItsResultBackOnItsOwnThread) {
  asio::io_context context(1);
  WorkerPool pool(2);
  std::thread::id worker, before, after;
  int answer = 0;
  asio::co_spawn(
      context,
      [&]() -> Task<> {
        before = std::this_thread::get_id();
        answer = co_await pool.run(RequestClass::routine, [&] {
          worker = std::this_thread::get_id();
          return 42;
        });
        after = std::this_thread::get_id();
      },
      asio::detached);
  context.run();
  EXPECT_EQ(answer, 42);
  EXPECT_EQ(before, after);
  EXPECT_NE(before, worker);
}

TEST(WhenAll, ResultsComeInTheOrderGivenNotInTheOrderDone) {
  asio::io_context context(1);
  WorkerPool pool(3);
  std::vector<int> results;
  const auto slow = [&pool](int value) -> Task<int> {
    co_return co_await pool.run(RequestClass::routine, [value] {
      std::this_thread::sleep_for(std::chrono::milliseconds(10 * (3 - value)));
      return value;
    });
  };
  asio::co_spawn(
      context,
      [&]() -> Task<> {
        std::vector<Task<int>> tasks;
        for (const int value : {0, 1, 2}) tasks.push_back(slow(value));
        results = co_await when_all(std::move(tasks));
      },
      asio::detached);
  context.run();
  EXPECT_EQ(results, (std::vector{0, 1, 2}));
}

TEST(WorkerPool, AnEmergencyStartsBeforeWorkThatWaitsLonger) {
  std::vector<int> order;
  std::binary_semaphore go(0);
  {
    WorkerPool pool(1);
    pool.submit(RequestClass::routine, [&] { go.acquire(); });
    pool.submit(RequestClass::background, [&] { order.push_back(3); });
    pool.submit(RequestClass::routine, [&] { order.push_back(2); });
    pool.submit(RequestClass::emergency, [&] { order.push_back(1); });
    go.release();
  }
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

}  // namespace
}  // namespace mydr24
