#pragma once

// Coroutines on an io_context of our own: one context per thread, a concrete executor (the type-erased one costs twice
// the CPU per request), no locks inside.

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

namespace mydr24 {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;

template <class T = void>
using Task = asio::awaitable<T, Executor>;

inline constexpr asio::use_awaitable_t<Executor> awaitable{};

// Waits for a callback from another thread. `start` is called with a move-only function to be called exactly once, from
// any thread, with the result; the coroutine goes on on its own thread.
//   const Result<int> r = co_await async_call<Result<int>>([&](auto done) { queue.push(std::move(done)); });
template <class T, class Start>
Task<T> async_call(Start start) {
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void(T)>(
      [](auto handler, Start begin) {
        auto executor = asio::get_associated_executor(handler);
        // The handler's executor must know of outstanding work, or its context could run dry while another thread
        // works.
        auto work = asio::prefer(executor, asio::execution::outstanding_work.tracked);
        begin([handler = std::move(handler), work = std::move(work)](T value) mutable {
          asio::post(work, [handler = std::move(handler), value = std::move(value)]() mutable {
            std::move(handler)(std::move(value));
          });
        });
      },
      awaitable, std::move(start));
}

}  // namespace mydr24
