// API4:2023 Unrestricted Resource Consumption: what costs the sender little costs the server little. Each is refused or
// answered in bounded time, and the server goes on serving.

#include <fmt/format.h>
#include <zlib.h>

#include <memory>

#include "base/core/clock.h"
#include "hospital.h"

namespace mydr24::attacks {
namespace {

constexpr std::size_t mebibyte = 1U << 20;
constexpr double answer_seconds_max = 20;  // of one attack, on a machine that is busy otherwise
constexpr double memory_mb_max = 700;

std::string gzipped(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string patient_with(std::string_view member) { return fmt::format(R"({{"resourceType":"Patient",{}}})", member); }

class Resources : public testing::Test {
 protected:
  static void TearDownTestSuite() {
    EXPECT_GE(attacks_, 60);
    EXPECT_LT(Hospital::get().live().server().rss_max_mb(), memory_mb_max);
  }
  void TearDown() override {
    hospital_.check_service();
    hospital_.check_trail();
  }
  Answer attack(const std::string& what, Request request, const std::set<int>& expected,
                const std::string& as = "nurse") {
    ++attacks_;
    const auto begun = system_clock().steady();
    const auto answer = hospital_.ask(as, std::move(request));
    const auto seconds = std::chrono::duration<double>(system_clock().steady() - begun).count();
    EXPECT_TRUE(expected.contains(answer.status)) << what << ": " << answer.status << " " << answer.body.substr(0, 300);
    EXPECT_LT(seconds, answer_seconds_max) << what;
    hospital_.check_service();
    return answer;
  }
  void post(const std::string& what, std::string body, const std::set<int>& expected, Headers headers = {},
            const std::string& target = "/fhir/R4/Patient") {
    attack(what, {.method = "POST", .target = target, .headers = std::move(headers), .body = std::move(body)},
           expected);
  }
  void get(const std::string& what, const std::string& target, const std::set<int>& expected) {
    attack(what, {.target = target}, expected);
  }
  void patch(const std::string& what, const std::string& path) {
    attack(
        what,
        {.method = "PATCH",
         .target = "/fhir/R4/Observation/open-1",
         .body = fmt::format(
             R"({{"resourceType":"Parameters","parameter":[{{"name":"operation","part":[{{"name":"type","valueCode":"delete"}},{{"name":"path","valueString":"{}"}}]}}]}})",
             path)},
        {200, 400, 413, 422});
    EXPECT_TRUE(hospital_.get("nurse", "/fhir/R4/Observation/open-1").body.contains("seen again")) << what;
  }

  Hospital& hospital_ = Hospital::get();
  static inline int attacks_ = 0;
};

TEST_F(Resources, ABodyUnpacksToNoMoreThanItMay) {
  const Headers gzip{{"Content-Encoding", "gzip"}};
  const std::string zeros(16 * mebibyte, '0');
  post("a bomb of zeros", gzipped(zeros), {413}, gzip);
  post("a bomb inside a resource", gzipped(patient_with(R"("language":")" + zeros + "\"")), {413}, gzip);
  post("a bomb of spaces", gzipped(std::string(16 * mebibyte, ' ')), {413}, gzip);
  post("a bomb of many members", repeated(gzipped(std::string(mebibyte, ' ')), 50), {413}, gzip);
  post("many empty members", repeated(gzipped(""), 50'000), {400, 413}, gzip);
  post("a bomb in a bomb", gzipped(gzipped(zeros)), {400, 413}, gzip);
  post("gzip named twice", gzipped(gzipped("{}")), {400, 415}, {{"Content-Encoding", "gzip, gzip"}});
  post("a bomb cut off", gzipped(zeros).substr(0, 20'000), {400, 413}, gzip);
  post("no gzip at all", "{}", {400}, gzip);
  post("a bomb of lines", gzipped(repeated("{}\n", 4 * mebibyte)), {200, 400, 413, 415},
       {{"Content-Encoding", "gzip"}, {"Content-Type", "application/fhir+ndjson"}});
  post("a body beyond the limit", std::string(5 * mebibyte, ' '), {413});
  post("a form beyond the limit", "user=" + std::string(mebibyte, 'x'), {400, 413},
       {{"Content-Type", "application/x-www-form-urlencoded"}}, "/login");
  post("a password of a mebibyte", form({{"user", "nurse"}, {"password", std::string(60'000, 'x')}}), {400, 403, 413},
       {{"Content-Type", "application/x-www-form-urlencoded"}}, "/login");
}

TEST_F(Resources, NestingAndCountsHaveLimits) {
  const Headers xml{{"Content-Type", "application/fhir+xml"}};
  post("arrays in arrays", patient_with(R"("extension":)" + std::string(200'000, '[') + std::string(200'000, ']')),
       {400});
  post("open brackets only", std::string(mebibyte, '['), {400});
  post("objects in objects", repeated(R"({"a":)", 200'000) + "1" + std::string(200'000, '}'), {400});
  post(
      "extensions in extensions",
      patient_with(R"("extension":)" + repeated(R"([{"url":"u","extension":)", 60'000) + "[]" + repeated("}]", 60'000)),
      {400, 413});
  post("elements in elements", R"(<Patient xmlns="http://hl7.org/fhir">)" + repeated("<contained>", 200'000), {400},
       xml);
  post(
      "billion laughs",
      R"(<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><Patient xmlns="http://hl7.org/fhir"><language value="&c;"/></Patient>)",
      {400}, xml);
  post(
      "attributes without end",
      R"(<Patient xmlns="http://hl7.org/fhir")" +
          [] {
            std::string all;
            for (int i = 0; i < 100'000; ++i) all += fmt::format(R"( a{}="x")", i);
            return all;
          }() +
          "/>",
      {400}, xml);
  post(
      "namespaces without end",
      R"(<Patient xmlns="http://hl7.org/fhir")" +
          [] {
            std::string all;
            for (int i = 0; i < 50'000; ++i) all += fmt::format(R"( xmlns:a{}="x")", i);
            return all;
          }() +
          "/>",
      {400, 201}, xml);
  post("a number of a million digits", patient_with(R"("multipleBirthInteger":)" + std::string(mebibyte, '9')),
       {400, 422});
  post("an exponent beyond all",
       R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1e999999999}})",
       {201, 400, 422}, {}, "/fhir/R4/Observation");
  post("members without end", patient_with([] {
         std::string all;
         for (int i = 0; i < 200'000; ++i) all += fmt::format("{}\"a{}\":1", i == 0 ? "" : ",", i);
         return all;
       }()),
       {400, 422});
  post("names that collide", patient_with(repeated(R"("a":1,)", 300'000) + R"("b":1)"), {400, 422});
  post("names without end",
       patient_with(R"("name":[)" + repeated(R"({"family":"x"},)", 100'000) + R"({"family":"x"}])"),
       {201, 400, 413, 422});
  post("entries without end",
       R"({"resourceType":"Bundle","type":"batch","entry":[)" +
           repeated(R"({"request":{"method":"GET","url":"metadata"}},)", 10'500) +
           R"({"request":{"method":"GET","url":"metadata"}}]})",
       {400, 413, 422}, {}, "/fhir/R4");
  post("a hundred searches at once",
       R"({"resourceType":"Bundle","type":"batch","entry":[)" +
           repeated(R"({"request":{"method":"GET","url":"Observation?_include=*&_revinclude=*"}},)", 99) +
           R"({"request":{"method":"GET","url":"Patient"}}]})",
       {200, 400, 413, 422, 503}, {}, "/fhir/R4");
  post("batches in a batch",
       R"({"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"POST","url":""},"resource":)" +
           repeated(
               R"({"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"POST","url":""},"resource":)",
               20) +
           R"({"resourceType":"Basic"})" + repeated("}]}", 21),
       {200, 400, 422}, {}, "/fhir/R4");
  post(
      "entries that refer in a ring",
      R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:a","request":{"method":"POST","url":"Observation"},"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"hasMember":[{"reference":"urn:uuid:b"}]}},)"
      R"({"fullUrl":"urn:uuid:b","request":{"method":"POST","url":"Observation"},"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"hasMember":[{"reference":"urn:uuid:a"}]}}]})",
      {200, 400, 422}, {}, "/fhir/R4");
}

TEST_F(Resources, SearchesHaveLimits) {
  const std::string at = "/fhir/R4/Observation?";
  get("a page without end", at + "_count=999999999999999999999", {200, 400});
  get("a page of a billion", at + "_count=1000000000", {200, 400});
  get("a page of less than nothing", at + "_count=-1", {400, 200});
  get("an offset beyond all", at + "_offset=99999999999&page=9999999", {200, 400});
  get("conditions without end", at + repeated("status=final&", 1'000), {400});
  get("values without end", at + "code=" + repeated("a,", 5'000), {400});
  get("a chain without end", at + repeated("subject:Patient.general-practitioner:Practitioner.", 40) + "name=x", {400});
  get("_has in _has", "/fhir/R4/Patient?" + repeated("_has:Observation:subject:", 60) + "_id=x", {400});
  get("_has and chains by turns", at + repeated("subject:Patient._has:Observation:subject:", 40) + "code=x", {400});
  get("_include again and again", at + repeated("_include:iterate=*&", 100), {200, 400});
  get("_revinclude of all", "/fhir/R4/Practitioner?_revinclude=*&_revinclude:iterate=*&_include:iterate=*&_count=1000",
      {200, 400});
  get("_sort by everything", at + "_sort=" + repeated("date,", 500), {200, 400});
  get("elements without end", at + "_elements=" + repeated("status,", 3'000), {200, 400});
  get("a filter in brackets", at + "_filter=" + repeated("(", 3'000) + "status%20eq%20final" + repeated(")", 3'000),
      {400});
  get("a filter of many", at + "_filter=" + repeated("status%20eq%20final%20and%20", 800) + "status%20eq%20final",
      {200, 400, 422});
  get("a name to look for in everything", "/fhir/R4/Patient?name:contains=" + std::string(10'000, 'a'), {200, 400});
  get("an identifier of all letters", "/fhir/R4/Patient?identifier=" + std::string(20'000, '%'), {400});
  get("everything of everything", "/fhir/R4/Patient/open/$everything?_count=1000000", {200, 400});
  get("history without end", "/fhir/R4/_history?_count=1000000", {200, 400});
  get("an expansion of all", "/fhir/R4/ValueSet/$expand?url=http://snomed.info/sct?fhir_vs&count=100000000",
      {400, 404, 422});
  get("an expansion of a large one",
      "/fhir/R4/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/all-languages&count=1000000&filter=a",
      {200, 400, 404, 422});
  get("a dry run of the rules over all time", "/api/v1/alerts?count=999999999", {200, 400});
}

TEST_F(Resources, PathsAndGraphsHaveLimits) {
  patch("repeat for ever", "Observation.repeat(%resource)");
  patch("repeat of repeat", "Observation.repeat($this|%context).repeat($this|%context)");
  patch("descendants of descendants",
        repeated("Observation.descendants().", 1) + repeated("descendants().", 30) + "id");
  patch("aggregate that doubles",
        "Observation.select((1|2|3|4|5|6|7|8|9).aggregate($total & $total & 'xxxxxxxx', 'x')).first()");
  patch("where in where", "Observation" + repeated(".where(descendants()", 30) + repeated(".exists())", 30));
  patch("brackets", std::string(20'000, '(') + "1" + std::string(20'000, ')'));
  patch("minus without end", std::string(50'000, '-') + "1");
  patch("a union without end", "Observation.status" + repeated("|Observation.status", 20'000));
  patch("a product of all",
        "Observation.descendants().select(%resource.descendants()).select(%resource.descendants()).select(%resource."
        "descendants())");
  patch("a pattern that blows up",
        "Observation.where(status.matches('^(a+)+$')).status.where('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.matches('^("
        "a+)+$'))");
  patch("a text that grows", "Observation.status.select('x'" + repeated(".replace('x','xxxxxxxx')", 30) + ")");
  const auto graph = [&](const std::string& what, std::string query, const std::set<int>& expected) {
    attack(what,
           {.method = "POST",
            .target = "/fhir/R4/$graphql",
            .headers = {{"Content-Type", "application/graphql"}},
            .body = std::move(query)},
           expected);
  };
  graph("a graph without a ground", "{PatientList" + repeated("{a", 20'000) + repeated("}", 20'000) + "}", {400, 413});
  graph("a flood of names",
        "{" +
            [] {
              std::string all;
              for (int i = 0; i < 20'000; ++i) all += fmt::format("a{}:PatientList{{id}} ", i);
              return all;
            }() +
            "}",
        {200, 400, 413});
  graph("a flood of fields", "{PatientList{" + repeated("id ", 200'000) + "}}", {200, 400, 413});
  graph("fragments in a ring", "{PatientList{...a}} fragment a on Patient{...b} fragment b on Patient{...a}",
        {200, 400, 413});
  graph("fragments that double",
        [] {
          std::string all = "{PatientList{...f0}} ";
          for (int i = 0; i < 30; ++i) all += fmt::format("fragment f{} on Patient{{...f{} ...f{}}} ", i, i + 1, i + 1);
          return all + "fragment f30 on Patient{id}";
        }(),
        {200, 400, 413});
  graph("references back and forth",
        "{ObservationList{subject{resource{... on Patient{" +
            repeated("generalPractitioner{resource{... on Practitioner{id ", 1) + repeated("}}}", 1) + "}}}}}",
        {200, 400, 413});
  graph("directives without end", "{PatientList{id " + repeated("@include(if:true) ", 50'000) + "}}", {200, 400, 413});
  graph("a text without end", "{PatientList(name:\"" + std::string(mebibyte, 'x') + "\"){id}}", {200, 400, 413});
  graph("a list of lists", "{PatientList(name:" + std::string(100'000, '[') + "){id}}", {400, 413});
}

TEST_F(Resources, HeadsHaveLimits) {
  get("a target of 40 KiB", "/fhir/R4/Patient?name=" + std::string(40'000, 'x'), {414, 431});
  attack("a header of 64 KiB", {.headers = {{"X", std::string(64U << 10, 'x')}}}, {431});
  Headers many;
  for (int i = 0; i < 500; ++i) many.emplace_back(fmt::format("X-{}", i), "y");
  attack("500 headers", {.headers = many}, {431});
  attack("a cookie of 20 KiB",
         {.target = "/fhir/R4/Patient/open", .headers = {{"Cookie", "mydr24=" + std::string(20'000, 'x')}}}, {401});
  get("a path of 10,000 parts", "/" + repeated("a/", 10'000), {404});
  get("a query of 10,000 names", "/fhir/R4/Patient?" + repeated("a&", 10'000), {400, 200});
  attack("an Accept without end",
         {.target = "/fhir/R4/Patient/open", .headers = {{"Accept", repeated("a/b;q=0.1,", 2'000)}}}, {200, 406});
  attack("an Accept-Encoding without end",
         {.target = "/fhir/R4/Patient/open", .headers = {{"Accept-Encoding", repeated("gzip;q=0,", 3'000)}}}, {200});
  attack("ranges without end",
         {.target = "/fhir/R4/Patient/open", .headers = {{"Range", "bytes=" + repeated("0-,", 5'000)}}},
         {200, 206, 416});
  attack("a deadline of never",
         {.target = "/fhir/R4/Patient/open", .headers = {{"X-MyDR24-Deadline-Ms", "99999999999999999999"}}}, {200});
  EXPECT_GT(hospital_.metric("mydr24_http_malformed_total", "431"), 0) << "what never was a request is counted";
}

// Many who say little: their connections end, and others are served meanwhile.
TEST_F(Resources, WhoIsSlowIsLetGo) {
  constexpr int slow_count = 150;
  const auto slow_before = hospital_.metric("mydr24_http_malformed_total", "408");
  std::vector<std::unique_ptr<Wire>> heads, bodies, idle, trickles;
  const auto cookie = hospital_.who("nurse").shows.front().second;
  for (int i = 0; i < slow_count; ++i) {
    idle.push_back(std::make_unique<Wire>(hospital_.server()));
    heads.push_back(std::make_unique<Wire>(hospital_.server()));
    heads.back()->send("GET /fhir/R4/Patient/open HTTP/1.1\r\nHost: localhost\r\nX-Slow:");
    bodies.push_back(std::make_unique<Wire>(hospital_.server()));
    bodies.back()->send(fmt::format(
        "POST /fhir/R4/Observation HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nContent-Type: application/fhir+json\r\n"
        "Content-Length: 100000\r\n\r\n{{",
        cookie));
    trickles.push_back(std::make_unique<Wire>(hospital_.server()));
    trickles.back()->send(fmt::format(
        "POST /fhir/R4/Observation HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nContent-Type: application/fhir+json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n",
        cookie));
  }
  const auto begun = system_clock().steady();
  int served = 0;
  while (system_clock().steady() - begun < std::chrono::milliseconds(2'500)) {
    hospital_.check_service();
    ++served;
    for (auto& wire : heads) wire->send("a");
  }
  EXPECT_GT(served, 20);
  for (auto& wire : heads) EXPECT_TRUE(wire->read(std::chrono::milliseconds(3'000)).closed) << "a slow head";
  for (auto& wire : bodies) EXPECT_TRUE(wire->read(std::chrono::milliseconds(3'000)).closed) << "a slow body";
  for (auto& wire : trickles) EXPECT_TRUE(wire->read(std::chrono::milliseconds(3'000)).closed) << "a slow chunk";
  EXPECT_GE(hospital_.metric("mydr24_http_malformed_total", "408") - slow_before, slow_count);
  attacks_ += 4;
}

TEST_F(Resources, ManyConnectionsAndRequestsAtOnceAreBorne) {
  std::vector<std::unique_ptr<Wire>> open;
  for (int i = 0; i < 800; ++i) open.push_back(std::make_unique<Wire>(hospital_.server()));
  hospital_.check_service();
  // Whoever reads nothing of what was asked for.
  Wire deaf(hospital_.server());
  deaf.send(repeated("GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n", 2'000));
  hospital_.check_service();
  Wire pipelined(hospital_.server());
  pipelined.send(repeated("GET /fhir/R4/Patient/open HTTP/1.1\r\nHost: localhost\r\n\r\n", 5'000));
  EXPECT_GT(pipelined.read(std::chrono::milliseconds(500)).answers, 100);
  // A byte a chunk.
  const auto cookie = hospital_.who("nurse").shows.front().second;
  const auto chunked =
      ask(hospital_.server(),
          fmt::format("POST /fhir/R4/Observation HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nContent-Type: "
                      "application/fhir+json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{}0\r\n\r\n",
                      cookie, repeated("1\r\n \r\n", 200'000)));
  EXPECT_EQ(chunked.status, 400) << chunked.body;
  const auto extended =
      ask(hospital_.server(), fmt::format("POST /fhir/R4/Observation HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n"
                                          "Content-Type: application/fhir+json\r\nTransfer-Encoding: "
                                          "chunked\r\nConnection: close\r\n\r\n1;{}\r\n \r\n0\r\n\r\n",
                                          cookie, std::string(mebibyte, 'x')));
  EXPECT_EQ(extended.status, 400);
  const auto trailer = ask(
      hospital_.server(),
      fmt::format(
          "POST /fhir/R4/Observation HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\n"
          "Content-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n{}\r\n",
          cookie, repeated("X: y\r\n", 100'000)));
  EXPECT_EQ(trailer.status, 400);
  attacks_ += 6;
}

}  // namespace
}  // namespace mydr24::attacks
