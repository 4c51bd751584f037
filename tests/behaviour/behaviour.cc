#include "behaviour.h"

#include <fmt/format.h>

#include <fstream>
#include <stdexcept>

namespace mydr24::live {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t pages_max = 200;
constexpr std::string_view root = "/fhir/R4";

std::vector<std::string> split(std::string_view text, std::string_view by) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t at = text.find(by);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + by.size());
  }
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
}

struct Template {
  std::string name;
  std::string path;
  std::string request;
};

// A request "NAME VALUE" of a template becomes its request with the value in place of %; `error` in what is expected
// gets the template's path.
void fill(const std::vector<Template>& templates, Behaviour& behaviour) {
  const std::size_t space = behaviour.request.find(' ');
  if (space == std::string::npos) return;
  for (const Template& one : templates) {
    if (one.name != std::string_view(behaviour.request).substr(0, space)) continue;
    const std::string value = behaviour.request.substr(space + 1);
    behaviour.request = one.request;
    replace_all(behaviour.request, "%", value);
    if (behaviour.expected == "error") behaviour.expected += " " + one.path;
    return;
  }
}

std::string transaction_of(const fs::path& file) {
  const auto text = load::read_text(file);
  const auto document = json::Document::parse_view(text);
  if (!document || !document->root().is_array())
    throw std::runtime_error(fmt::format("{} is no JSON array of resources", file.string()));
  std::string out = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  bool first = true;
  for (const json::Value resource : document->root()) {
    if (!std::exchange(first, false)) out.push_back(',');
    out += fmt::format(R"({{"resource":{},"request":{{"method":"PUT","url":"{}/{}"}}}})", resource.raw(),
                       resource["resourceType"].text(), resource["id"].text());
  }
  return out + "]}";
}

std::string next_link(json::Value bundle) {
  for (const json::Value link : bundle["link"])
    if (link["relation"].text() == "next") return std::string(link["url"].text());
  return {};
}

}  // namespace

std::string encode_target(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || std::string_view("\"<>\\^`{|}#").find(c) != std::string_view::npos)
      out += fmt::format("%{:02X}", byte);
    else
      out.push_back(c);
  }
  return out;
}

Group read_group(const fs::path& file) {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file.string() + " cannot be read");
  Group group{.name = file.stem().string(), .fixtures = {}, .behaviours = {}};
  std::vector<Template> templates;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("fixtures: ")) {
      group.fixtures = split(std::string_view(line).substr(10), " ");
      continue;
    }
    auto columns = split(line, "\t");
    if (columns.size() == 4 && columns[0] == "template") {
      templates.push_back({columns[1], columns[2], columns[3]});
      continue;
    }
    if (columns.size() != 3)
      throw std::runtime_error(
          fmt::format("{}:{}: a behaviour has three columns (what, request, expected), this has {}", file.string(),
                      number, columns.size()));
    Behaviour behaviour{number, std::move(columns[0]), std::move(columns[1]), std::move(columns[2])};
    fill(templates, behaviour);
    group.behaviours.push_back(std::move(behaviour));
  }
  return group;
}

// The URL is that of the Host header that load/http sends. Who is let in on a busy machine is not what is told here.
Told::Told(const Group& group, const fs::path& fixtures)
    : live_("[server]\nbase_url = \"http://localhost\"\n\n[admission]\nmode = \"off\"\n") {
  base_ = fmt::format("http://localhost{}", root);
  for (const std::string& name : group.fixtures) {
    std::string body = transaction_of(fixtures / name);
    replace_all(body, "${base}", base_);
    const auto reply = live_.http().send("POST", fmt::format("{}/", root), body);
    if (!reply) throw std::runtime_error(reply.error().text);
    if (reply->status != 200)
      throw std::runtime_error(fmt::format("the fixtures {} were not stored: {}", name, reply->body));
  }
}

// "[<Header: value>] [METHOD] target [body]"; README.md.
Told::Request Told::parse(std::string_view text) const {
  Request request;
  while (text.starts_with('<')) {
    const std::size_t end = text.find("> ");
    request.headers.append(text.substr(1, end - 1)).append("\r\n");
    text.remove_prefix(end + 2);
  }
  for (const std::string_view method : {"GET", "POST", "PUT", "DELETE", "PATCH", "PAGES"}) {
    if (!text.starts_with(method) || !text.substr(method.size()).starts_with(' ')) continue;
    request.method = method;
    text.remove_prefix(method.size() + 1);
    break;
  }
  if (request.method == "PAGES") {
    request.pages = true;
    request.method = "GET";
    if (const std::size_t write = text.find(" << "); write != std::string_view::npos) {
      request.between = text.substr(write + 4);
      text = text.substr(0, write);
    }
  }
  const bool form = request.method == "POST" && text.find("_search") < text.find(' ');
  const std::size_t space =
      request.method == "GET" || request.method == "DELETE" ? std::string_view::npos : text.find(' ');
  std::string target(text.substr(0, space));
  if (space != std::string_view::npos) request.body = text.substr(space + 1);
  replace_all(target, "${id}", created_);
  replace_all(target, "${base}", base_);
  replace_all(request.body, "${id}", created_);
  replace_all(request.body, "${base}", base_);
  if (form) {
    request.body = encode_target(request.body);
    request.headers += "Content-Type: application/x-www-form-urlencoded\r\n";
  }
  request.target = std::string(root) + (target.starts_with('?') ? "" : "/") + encode_target(target);
  return request;
}

Result<load::Reply> Told::send(const Request& request) {
  auto reply = live_.http().send(request.method, request.target, request.body, request.headers);
  if (!reply) return reply;
  if (reply->status == 201) {
    const auto document = json::Document::parse_view(reply->body);
    if (document) created_ = document->root()["id"].text();
  }
  pages_ = {reply->body};
  while (request.pages && pages_.size() < pages_max) {
    const auto document = json::Document::parse(pages_.back());
    const std::string next = document ? next_link(document->root()) : std::string();
    const std::size_t path = next.find(root);
    if (path == std::string::npos) break;
    if (!request.between.empty()) {
      const Request write = parse(request.between);
      const auto written = live_.http().send(write.method, write.target, write.body, write.headers);
      if (!written || written->status >= 400) return written;
    }
    auto page = live_.http().send("GET", next.substr(path), {}, request.headers);
    if (!page || page->status != 200) return page;
    pages_.push_back(std::move(page->body));
  }
  return reply;
}

std::string Told::run(const Behaviour& behaviour) {
  std::vector<std::string> steps = split(behaviour.request, " && ");
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto reply = send(parse(steps[i]));
    if (!reply) return reply.error().text;
    if (i + 1 == steps.size()) return check(*reply, behaviour.expected);
    if (reply->status >= 400) return fmt::format("step {}: {} {}", i + 1, reply->status, reply->body);
  }
  return "no request";
}

std::string Told::check(const load::Reply& reply, std::string_view expected) const {
  std::vector<json::Document> documents;  // reserved: values point into them
  documents.reserve(pages_.size());
  std::vector<json::Value> entries;
  for (const std::string& page : pages_) {
    auto document = json::Document::parse_view(page);
    if (!document) break;
    documents.push_back(std::move(*document));
    for (const json::Value entry : documents.back().root()["entry"]) entries.push_back(entry);
  }
  auto clauses = split(expected, "; ");
  const bool says_status = !clauses.empty() && is_status(clauses[0]);
  const bool says_verdict = expected == "ok" || expected.starts_with("error");
  if (!says_status && !says_verdict) clauses.insert(clauses.begin(), "200");
  for (std::string& clause : clauses) {
    replace_all(clause, "${id}", created_);
    replace_all(clause, "${base}", base_);
    const json::Value body = documents.empty() ? json::Value() : documents.front().root();
    if (auto wrong = check_clause(clause, reply, body, entries); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace mydr24::live
