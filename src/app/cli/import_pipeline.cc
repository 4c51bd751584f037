#include "app/cli/import_pipeline.h"

#include "fhir/model/outcome.h"

namespace mydr24::cli {

ImportPipeline::ImportPipeline(ImportReader& reader, std::size_t workers, MakeReady make_ready)
    : reader_(reader), make_ready_(std::move(make_ready)) {
  threads_.emplace_back([this] { read(); });
  for (std::size_t i = 0; i < workers; ++i) threads_.emplace_back([this] { work(); });
}

ImportPipeline::~ImportPipeline() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ImportPipeline::read() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || under_way_ < slices_max; });
      if (stopping_) return;
    }
    auto slice = reader_.next();
    const std::lock_guard lock(mutex_);
    if (slice) {
      if (!next_) next_ = slice->number;
      to_prepare_.push_back(std::move(*slice));
      ++under_way_;
    } else {
      all_read_ = true;
    }
    changed_.notify_all();
    if (all_read_) return;
  }
}

void ImportPipeline::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !to_prepare_.empty() || all_read_; });
    if (stopping_ || to_prepare_.empty()) return;
    ImportSlice slice = std::move(to_prepare_.front());
    to_prepare_.pop_front();
    lock.unlock();

    ReadySlice ready;
    ready.number = slice.number;
    ready.file = slice.file;
    ready.after = slice.after;
    if (slice.error) ready.rejections.push_back({slice.after.line, model::operation_outcome(*slice.error)});
    make_ready_(std::move(slice), ready);

    lock.lock();
    const std::int64_t number = ready.number;
    ready_.emplace(number, std::move(ready));
    changed_.notify_all();
  }
}

std::optional<ReadySlice> ImportPipeline::take(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  const auto there = [this] { return !ready_.empty() && ready_.begin()->first == next_; };
  changed_.wait_for(lock, time, [&] { return there() || (all_read_ && under_way_ == 0); });
  if (!there()) return std::nullopt;
  ReadySlice taken = std::move(ready_.begin()->second);
  ready_.erase(ready_.begin());
  next_ = *next_ + 1;
  --under_way_;
  changed_.notify_all();
  return taken;
}

bool ImportPipeline::finished() {
  const std::lock_guard lock(mutex_);
  return all_read_ && under_way_ == 0;
}

}  // namespace mydr24::cli
