#include "api/desk_api/page.h"

namespace mydr24::desk_api {

const std::string_view page_html = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>MyDR24</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/desk.css">
<script src="/desk.js" defer></script>
</head>
<body>
<header>
  <h1>MyDR24</h1>
  <p id="demo" class="tag" hidden>Demo data: no real patients</p>
  <p id="verdict" role="status" aria-live="polite">Waiting for data</p>
  <p id="live" class="stale"><span class="dot" aria-hidden="true"></span><span id="live-text">Not live yet</span></p>
</header>
<p id="band" role="alert" hidden></p>
<main>
  <section id="clocks" aria-label="Alert clocks">
    <div><b id="clock-deliver">-</b><span>detected to delivered, last</span><small>limit 2 s</small></div>
    <div><b id="clock-deliver-max">-</b><span>slowest since start</span><small>limit 2 s</small></div>
    <div><b id="clock-open">-</b><span>open alerts</span><small id="clock-escalated">&nbsp;</small></div>
    <div><b id="clock-commit">-</b><span>last write on disk in</span><small id="clock-writes">&nbsp;</small></div>
  </section>
  <section aria-labelledby="alerts-title">
    <div class="head">
      <h2 id="alerts-title">Alerts</h2>
      <label>Acknowledge as <input id="who" autocomplete="name" maxlength="80" placeholder="your name"></label>
    </div>
    <ol id="alerts"></ol>
    <p id="no-alerts" class="empty" hidden>No open alert. Every score is below the urgent threshold, or somebody is already there.</p>
  </section>
  <section aria-labelledby="patients-title">
    <div class="head"><h2 id="patients-title">Patients by need</h2><span id="patients-count"></span></div>
    <div class="scroll" tabindex="0" aria-label="Patients by need, table">
    <table>
      <thead><tr>
        <th scope="col">NEWS2</th><th scope="col">Patient</th><th scope="col">Place</th>
        <th scope="col">Resp <i>/min</i></th><th scope="col">SpO2 <i>%</i></th><th scope="col">O2</th>
        <th scope="col">Systolic <i>mmHg</i></th><th scope="col">Pulse <i>/min</i></th>
        <th scope="col">ACVPU</th><th scope="col">Temp <i>Cel</i></th><th scope="col">Measured</th>
      </tr></thead>
      <tbody id="patients"></tbody>
    </table>
    </div>
    <p id="no-patients" class="empty" hidden>No vital sign has been received in the last 24 hours. Send an Observation to
      <code>/fhir/R4/Observation</code>, or run <code>mydr24 simulate</code>.</p>
  </section>
</main>
<footer>
  <p>National Early Warning Score 2, Royal College of Physicians 2017. Not a certified medical device.
  FHIR base: <a href="/fhir/R4/metadata"><code>/fhir/R4</code></a></p>
</footer>
</body>
</html>
)html";

}  // namespace mydr24::desk_api
