// Courses of values over time (uPlot): one with its bands, or several in lanes over each other. Canvas, so hidden from assistive technology:
// whoever uses it puts a sentence and a table beside it. Time runs from left to right in every language.

import { useEffect, useRef, type RefObject } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { BandRange } from "../clinical/news2";
import { usePreferences } from "../preferences";
import { useSite } from "../site";

export type Points = readonly (readonly [number, number])[]; // milliseconds, value

interface Banded {
  low: number;
  high: number;
  bands: readonly BandRange[];
  band_edge: number; // half the grain of the bands: where one ends and the next begins
}

export interface ChartProps extends Banded {
  points: Points;
  from: number;
  to: number;
  height: number;
  step?: boolean;
  ticks?: readonly number[];
  tick_text?: (value: number) => string;
  time_text: (ms: number) => string;
  marks?: readonly number[]; // milliseconds of alerts
  axis: boolean; // the time axis below
  sync: string;
}

const band_alpha = [0, 0.13, 0.17, 0.19];
// The order of colours of the chart of the Royal College of Physicians: yellow, orange, red. The same in every theme.
const band_colours = ["", "240, 200, 60", "245, 140, 40", "220, 50, 40"];

function draw_bands(plot: uPlot, scale: string, props: Banded, strength = 1) {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const band of props.bands) {
    if (band.points === 0) continue;
    const top = plot.valToPos(Math.min(band.high + props.band_edge, props.high), scale, true);
    const bottom = plot.valToPos(Math.max(band.low - props.band_edge, props.low), scale, true);
    if (bottom <= top) continue;
    ctx.fillStyle = `rgba(${band_colours[band.points]}, ${band_alpha[band.points]! * strength})`;
    ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
  }
  ctx.restore();
}

function draw_marks(plot: uPlot, props: ChartProps, colour: string) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const mark of props.marks ?? []) {
    if (mark < props.from || mark > props.to) continue;
    const x = plot.valToPos(mark / 1_000, "x", true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}

const columns = (points: ChartProps["points"]): uPlot.AlignedData => [points.map(([at]) => at / 1_000), points.map(([, value]) => value)];

interface Look {
  colour: (token: string) => string;
  axis: uPlot.Axis;
}
type Options = Omit<uPlot.Options, "width" | "height" | "tzDate">;
// The chart in its place, as wide as that; made anew when `kind`, the theme or the site's zone changes.
function usePlot(place: RefObject<HTMLDivElement | null>, height: number, kind: string, options_of: (look: Look) => Options, data: () => uPlot.AlignedData) {
  const { theme } = usePreferences();
  const { zone } = useSite();
  const plot = useRef<uPlot | undefined>(undefined);
  const latest = useRef({ options_of, data });
  latest.current = { options_of, data };
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const colour = (token: string) => style.getPropertyValue(token).trim();
    const axis = { stroke: colour("--muted"), font: "11px system-ui, sans-serif", grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const options = latest.current.options_of({ colour, axis });
    const made = new uPlot(
      { ...options, width: element.clientWidth, height, tzDate: (at) => uPlot.tzDate(new Date(at * 1_000), zone) },
      latest.current.data(),
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [place, theme, zone, height, kind]);
  return plot;
}

export default function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const plot = usePlot(
    place,
    props.height,
    `${props.axis} ${props.step ?? false} ${props.sync} ${props.ticks?.join(" ") ?? ""}`,
    ({ colour, axis }) => ({
      padding: [4, 8, props.axis ? 0 : 4, 0],
      legend: { show: false },
      cursor: { sync: { key: props.sync }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: true, range: () => [latest.current.from / 1_000, latest.current.to / 1_000] },
        y: { range: () => [latest.current.low, latest.current.high] },
      },
      series: [
        {},
        {
          stroke: colour("--text"),
          width: 1.75,
          points: { size: 4, fill: colour("--text") },
          ...(props.step && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
        },
      ],
      axes: [
        { ...axis, show: props.axis, size: 24, values: (_, all) => all.map((at) => latest.current.time_text(at * 1_000)) },
        {
          ...axis,
          size: 44,
          ...(props.ticks ? { splits: () => [...(latest.current.ticks ?? [])] } : {}),
          values: (_, all) => all.map((value) => latest.current.tick_text?.(value) ?? String(value)),
        },
      ],
      hooks: {
        drawClear: [(plot) => draw_bands(plot, "y", latest.current)],
        draw: [(plot) => draw_marks(plot, latest.current, colour("--emergency-border"))],
      },
    }),
    () => columns(latest.current.points),
  );

  useEffect(() => {
    plot.current?.setData(columns(props.points));
  }, [props.points, props.from, props.to, props.low, props.high, props.bands, props.marks]);

  return <div className="chart" dir="ltr" ref={place} style={{ blockSize: props.height }} aria-hidden="true" />;
}

export interface Lane extends Banded {
  points: Points;
  colour: string; // a token
}
interface LaneChartProps {
  lanes: readonly Lane[]; // from the top; as many, in the same colours, for as long as it is shown
  from: number;
  to: number;
  height: number;
}
// Longer without a value: nothing is known of what was between.
const gap_ms = 120_000;
const margin = 0.08; // of a lane, above and below

// A value's whole scale, so that low to high is what its lane has of the chart.
function scale_of(lane: Lane, place: number, of: number): [number, number] {
  const height = (lane.high - lane.low) / (1 - 2 * margin); // of the lane, in its unit
  const bottom = lane.low - margin * height;
  const below = of - 1 - place;
  return [bottom - below * height, bottom + (of - below) * height];
}

function course_of(points: Points, from: number): [number[], (number | null)[]] {
  const times: number[] = [];
  const values: (number | null)[] = [];
  let before = Infinity;
  for (const [at, value] of points) {
    if (at < from) continue;
    if (at - before > gap_ms) {
      times.push((before + 1) / 1_000);
      values.push(null);
    }
    times.push(at / 1_000);
    values.push(value);
    before = at;
  }
  return [times, values];
}

// Several courses over each other on one canvas, each with its bands, without axes: as on the monitor beside a bed.
export function LaneChart(props: LaneChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const data = () => uPlot.join(latest.current.lanes.map((lane) => course_of(lane.points, latest.current.from)));
  const plot = usePlot(
    place,
    props.height,
    props.lanes.map((lane) => lane.colour).join(" "),
    ({ colour }) => ({
      padding: [0, 0, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true, range: () => [latest.current.from / 1_000, latest.current.to / 1_000] },
        ...Object.fromEntries(props.lanes.map((_, at) => [`lane${at}`, { range: () => scale_of(latest.current.lanes[at]!, at, latest.current.lanes.length) }])),
      },
      series: [{}, ...props.lanes.map((lane, at) => ({ scale: `lane${at}`, stroke: colour(lane.colour), width: 1.75, points: { show: false } }))],
      axes: [{ show: false }, { show: false, scale: "lane0" }],
      hooks: { drawClear: [(drawn) => latest.current.lanes.forEach((lane, at) => draw_bands(drawn, `lane${at}`, lane, 0.6))] },
    }),
    data,
  );
  useEffect(() => {
    plot.current?.setData(data());
  }, [props.lanes, props.from, props.to]);
  return <div className="chart" dir="ltr" ref={place} style={{ blockSize: props.height }} aria-hidden="true" />;
}
