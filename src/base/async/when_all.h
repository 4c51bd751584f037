#pragma once

// Several coroutines at once on one executor: started together, results in the order given.

#include <exception>
#include <optional>
#include <vector>

#include "base/async/task.h"

namespace mydr24 {

// Each task must not throw in normal work; if one does, the first exception is thrown here after all have ended.
template <class T>
Task<std::vector<T>> when_all(std::vector<Task<T>> tasks) {
  if (tasks.empty()) co_return std::vector<T>();
  std::vector<std::optional<T>> results(tasks.size());
  std::size_t waiting = tasks.size();
  std::exception_ptr failure;
  const Executor executor = co_await asio::this_coro::executor;
  co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
      [&](auto handler) {
        auto resume = std::make_shared<decltype(handler)>(std::move(handler));
        for (std::size_t i = 0; i < tasks.size(); ++i) {
          asio::co_spawn(executor, std::move(tasks[i]), [&, i, resume](const std::exception_ptr& error, T value) {
            if (error && !failure) failure = error;
            if (!error) results[i] = std::move(value);
            if (--waiting == 0) std::move (*resume)();
          });
        }
      },
      awaitable);
  if (failure) std::rethrow_exception(failure);
  std::vector<T> values;
  values.reserve(results.size());
  for (auto& result : results) values.push_back(std::move(*result));
  co_return values;
}

}  // namespace mydr24
