#include "api/desk_api/page.h"

namespace mydr24::desk_api {

// The five colours of a state are never alone: a word or a number always says the same.
const std::string_view page_css = R"css(:root {
  color-scheme: dark;
  --page: #0d1014; --raised: #151a21; --line: #2a323d; --text: #e7ebf0; --soft: #a3afbd;
  --emergency: #ff5d5d; --emergency-solid: #b3121d; --urgent: #ffb020; --urgent-solid: #7a4b00;
  --watch: #ffe27a; --watch-solid: #4d4300; --safe: #63d69a; --safe-solid: #0f4d2e; --info: #6cb6ff;
}
@media (prefers-color-scheme: light) {
  :root {
    color-scheme: light;
    --page: #f4f6f8; --raised: #ffffff; --line: #d5dce4; --text: #12181f; --soft: #4d5b6a;
    --emergency: #a80f1a; --emergency-solid: #b3121d; --urgent: #7d4600; --urgent-solid: #7a4b00;
    --watch: #5c4c00; --watch-solid: #4d4300; --safe: #0b5e35; --safe-solid: #0f4d2e; --info: #0a56a3;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1.2rem; padding: .8rem 1.4rem;
  border-block-end: 1px solid var(--line); background: var(--raised); position: sticky; inset-block-start: 0; z-index: 1; }
h1 { font-size: 1.05rem; letter-spacing: .04em; margin: 0; }
h2 { font-size: 1rem; margin: 0; }
header p { margin: 0; }
#verdict { flex: 1; font-size: 1.15rem; font-weight: 600; }
#verdict.emergency { color: var(--emergency); } #verdict.urgent { color: var(--urgent); } #verdict.safe { color: var(--safe); }
.tag { border: 1px solid var(--info); color: var(--info); border-radius: 99px; padding: .1rem .7rem; font-size: .85rem; }
.dot { display: inline-block; inline-size: .65rem; block-size: .65rem; border-radius: 50%; background: var(--safe);
  margin-inline-end: .5rem; }
#live { color: var(--soft); font-size: .85rem; }
#live.stale { color: var(--emergency); font-weight: 700; } #live.stale .dot { background: var(--emergency); }
#band { margin: 0; padding: .6rem 1.4rem; background: var(--emergency-solid); color: #fff; font-weight: 700; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.6rem; padding: 1.2rem 1.4rem; max-inline-size: 1500px; margin-inline: auto; }
#clocks { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .8rem; }
#clocks div { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: .7rem 1rem;
  display: grid; }
#clocks b { font-size: 1.7rem; line-height: 1.2; } #clocks span { color: var(--text); } #clocks small { color: var(--soft); }
#clocks .late b { color: var(--emergency); }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: .5rem 1rem;
  margin-block-end: .6rem; }
.head label, .head span { color: var(--soft); font-size: .9rem; }
input { font: inherit; color: var(--text); background: var(--page); border: 1px solid var(--soft); border-radius: 6px;
  padding: .3rem .6rem; margin-inline-start: .4rem; inline-size: 11rem; }
#alerts { list-style: none; margin: 0; padding: 0; display: grid; gap: .6rem; }
#alerts li { display: grid; grid-template-columns: auto 1fr auto; gap: .2rem 1rem; align-items: center;
  background: var(--raised); border: 1px solid var(--line); border-inline-start: 6px solid var(--urgent);
  border-radius: 10px; padding: .7rem 1rem; }
#alerts li.emergency { border-inline-start-color: var(--emergency); }
#alerts li.acknowledged { border-inline-start-color: var(--safe); }
#alerts .severity { font-weight: 700; text-transform: uppercase; letter-spacing: .05em; font-size: .8rem; color: var(--urgent); }
#alerts .emergency .severity { color: var(--emergency); } #alerts .acknowledged .severity { color: var(--safe); }
#alerts .who { font-weight: 600; } #alerts .why, #alerts .when { color: var(--soft); }
button { font: inherit; font-weight: 600; min-block-size: 44px; padding: .3rem 1.2rem; border-radius: 8px; cursor: pointer;
  border: 1px solid var(--text); background: var(--text); color: var(--page); }
button:disabled { opacity: .55; cursor: wait; }
:focus-visible { outline: 3px solid var(--info); outline-offset: 2px; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--raised); }
table { border-collapse: collapse; inline-size: 100%; min-inline-size: 60rem; }
th, td { padding: .38rem .7rem; text-align: end; white-space: nowrap; border-block-end: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; font-size: .82rem; } th i { font-weight: 400; font-style: normal; opacity: .85; }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: start; }
tbody tr:last-child td { border-block-end: 0; }
.chip { display: inline-block; min-inline-size: 7.6rem; border-radius: 6px; padding: .12rem .6rem; font-weight: 700; color: #fff; }
.chip.high { background: var(--emergency-solid); } .chip.medium { background: var(--urgent-solid); }
.chip.low-medium { background: var(--watch-solid); } .chip.low { background: var(--safe-solid); }
.p1, .p2, .p3 { font-weight: 700; border-radius: 4px; padding: .05rem .35rem; border: 1px solid; }
.p1 { color: var(--watch); } .p2 { color: var(--urgent); } .p3 { color: var(--emergency); }
.old { color: var(--soft); } .empty { color: var(--soft); margin: .4rem 0 0; }
body.offline td, body.offline #alerts { opacity: .6; }
footer { padding: 0 1.4rem 1.4rem; color: var(--soft); font-size: .85rem; max-inline-size: 1500px; margin-inline: auto; }
a { color: var(--info); }
@media (max-width: 640px) {
  main { padding: .8rem; } header { padding: .6rem .8rem; }
  #alerts li { grid-template-columns: 1fr; } #alerts button { inline-size: 100%; }
}
@media (prefers-reduced-motion: no-preference) { #alerts li.emergency:not(.acknowledged) { animation: call 2s ease-in-out infinite; } }
@keyframes call { 50% { border-color: var(--emergency); } }
)css";

}  // namespace mydr24::desk_api
