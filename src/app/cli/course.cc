#include "app/cli/course.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "app/cli/fhir_client.h"
#include "base/json/writer.h"

namespace mydr24::cli {

namespace {

class RecordsSink : public HospitalSink {
 public:
  explicit RecordsSink(records::Records& records) : records_(records) {}

  Result<> write(std::span<const SimulatedResource> resources) override {
    std::vector<records::Prepared> ready;
    ready.reserve(resources.size());
    for (const SimulatedResource& resource : resources) {
      records::PrepareOptions options;
      options.type = resource.type;
      options.id = resource.id;
      auto prepared = records_.prepare(resource.text, options);
      if (!prepared) {
        const auto& issues = prepared.error().issues;
        return fail(prepared.error().code, issues.empty() ? "a simulated resource was refused" : issues[0].diagnostics,
                    issues.empty() ? resource.type : issues[0].expression);
      }
      ready.push_back(std::move(*prepared));
    }
    return records_.store().write(RequestClass::routine, [&](store::Transaction& transaction) -> Result<> {
      for (const records::Prepared& prepared : ready) MYDR24_TRY(records_.put(transaction, prepared));
      return {};
    });
  }

 private:
  records::Records& records_;
};

class ServerSink : public HospitalSink {
 public:
  explicit ServerSink(std::unique_ptr<FhirClient> client) : client_(std::move(client)) {}

  Result<> write(std::span<const SimulatedResource> resources) override {
    std::string bundle;
    json::Writer writer(bundle);
    writer.begin_object().field("resourceType", "Bundle").field("type", "transaction").key("entry").begin_array();
    for (const SimulatedResource& resource : resources) {
      writer.begin_object().key("resource").raw(resource.text).key("request").begin_object();
      writer.field("method", resource.id.empty() ? "POST" : "PUT");
      writer.field("url", resource.id.empty() ? resource.type : resource.type + "/" + resource.id);
      writer.end_object().end_object();
    }
    writer.end_array().end_object();
    MYDR24_TRY(client_->post_bundle(std::move(bundle)));
    return {};
  }

 private:
  std::unique_ptr<FhirClient> client_;
};

class FileSink : public HospitalSink {
 public:
  explicit FileSink(std::filesystem::path folder) : folder_(std::move(folder)) {}

  bool wants_ids() const override { return true; }

  Result<> write(std::span<const SimulatedResource> resources) override {
    for (const SimulatedResource& resource : resources) {
      auto& file = files_[resource.type];
      if (!file.is_open()) {
        const auto path = folder_ / (resource.type + ".ndjson");
        std::error_code ignored;
        if (std::filesystem::exists(path, ignored)) {
          return fail(Code::conflict, "is there already: take another folder or remove it", path.string());
        }
        file.open(path, std::ios::binary);
      }
      file << resource.text << '\n';
      if (!file) return fail(Code::internal, "cannot be written", (folder_ / (resource.type + ".ndjson")).string());
    }
    return {};
  }

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::ofstream> files_;
};

// Collects resources and writes them in batches.
class Batches {
 public:
  Batches(HospitalSink& sink, CourseCounts& counts) : sink_(sink), counts_(counts) {}

  Result<> add(std::vector<SimulatedResource> resources) {
    for (SimulatedResource& resource : resources) {
      waiting_.push_back(std::move(resource));
      if (waiting_.size() >= HospitalSink::batch_max) MYDR24_TRY(flush());
    }
    return {};
  }

  Result<> flush() {
    if (waiting_.empty()) return {};
    MYDR24_TRY(sink_.write(waiting_));
    counts_.resources += static_cast<std::int64_t>(waiting_.size());
    counts_.observations += std::ranges::count(waiting_, "Observation", &SimulatedResource::type);
    waiting_.clear();
    return {};
  }

 private:
  HospitalSink& sink_;
  CourseCounts& counts_;
  std::vector<SimulatedResource> waiting_;
};

}  // namespace

std::unique_ptr<HospitalSink> sink_to_records(records::Records& records) {
  return std::make_unique<RecordsSink>(records);
}

Result<std::unique_ptr<HospitalSink>> sink_to_server(const std::string& server) {
  MYDR24_ASSIGN(auto client, FhirClient::open(server));
  return std::unique_ptr<HospitalSink>(std::make_unique<ServerSink>(std::move(client)));
}

Result<std::unique_ptr<HospitalSink>> sink_to_files(const std::string& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) return fail(Code::invalid, fmt::format("cannot be made: {}", problem.message()), folder);
  return std::unique_ptr<HospitalSink>(std::make_unique<FileSink>(folder));
}

Result<> admit_all(const Hospital& hospital, HospitalSink& sink, CourseCounts& counts) {
  Batches batches(sink, counts);
  MYDR24_TRY(batches.add(hospital.buildings()));
  MYDR24_TRY(batches.flush());
  for (std::size_t i = 0; i < hospital.patients(); ++i) MYDR24_TRY(batches.add(hospital.admission(i)));
  return batches.flush();
}

Result<> run_course(Hospital& hospital, HospitalSink& sink, const CourseSettings& settings, const Clock& clock,
                    Instant start, const Pause& pause, CourseCounts& counts) {
  const auto interval = std::max(settings.interval, std::chrono::milliseconds(10));
  const auto began = clock.steady();
  for (std::int64_t round = 0;; ++round) {
    const auto planned = interval * round;
    if (settings.time.count() > 0 && planned >= settings.time) return {};
    auto behind = std::chrono::milliseconds(0);
    if (settings.paced) {
      const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady() - began);
      behind = elapsed - planned;
      if (pause(std::max(planned - elapsed, std::chrono::milliseconds(0)))) return {};
    } else if (pause(std::chrono::milliseconds(0))) {
      return {};
    }
    if (behind > interval) ++counts.late_rounds;
    // Signs are dated when they are taken; only the illness goes faster than the clock.
    const Instant at = settings.paced ? clock.now() : start + planned;
    const auto ill_for = std::chrono::duration_cast<Microseconds>(planned * settings.speed);
    Batches batches(sink, counts);
    for (std::size_t i = 0; i < hospital.patients(); ++i) {
      const SimulatedSigns signs = hospital.observe(i, start + ill_for);
      MYDR24_TRY(batches.add(hospital.observations(i, signs, at, sink.wants_ids())));
    }
    MYDR24_TRY(batches.flush());
    ++counts.rounds;
  }
}

}  // namespace mydr24::cli
