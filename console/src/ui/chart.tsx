// The one place that draws charts of values over time (uPlot). It is drawn on a canvas, which says nothing to a screen reader:
// whoever uses it puts a sentence and a table beside it. Time runs from left to right in every language.

import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { BandRange } from "../clinical/news2";
import { usePreferences } from "../preferences";
import { useSite } from "../site";

export interface ChartProps {
  points: readonly (readonly [number, number])[]; // milliseconds, value
  from: number;
  to: number;
  low: number;
  high: number;
  height: number;
  bands: readonly BandRange[];
  band_edge: number; // half the grain of the bands: where one ends and the next begins
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

function draw_bands(plot: uPlot, props: ChartProps) {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const band of props.bands) {
    if (band.points === 0) continue;
    const top = plot.valToPos(Math.min(band.high + props.band_edge, props.high), "y", true);
    const bottom = plot.valToPos(Math.max(band.low - props.band_edge, props.low), "y", true);
    if (bottom <= top) continue;
    ctx.fillStyle = `rgba(${band_colours[band.points]}, ${band_alpha[band.points]})`;
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

export default function Chart(props: ChartProps) {
  const { theme } = usePreferences();
  const { zone } = useSite();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const font = "11px system-ui, sans-serif";
    const axis = { stroke: colour("--muted"), font, grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const options: uPlot.Options = {
      width: element.clientWidth,
      height: props.height,
      padding: [4, 8, props.axis ? 0 : 4, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1_000), zone),
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
        drawClear: [(plot) => draw_bands(plot, latest.current)],
        draw: [(plot) => draw_marks(plot, latest.current, colour("--emergency-border"))],
      },
    };
    const plot = new uPlot(options, columns(latest.current.points), element);
    chart.current = plot;
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: props.height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.destroy();
      chart.current = undefined;
    };
  }, [theme, zone, props.axis, props.height, props.step, props.sync, props.ticks]);

  useEffect(() => {
    chart.current?.setData(columns(props.points));
  }, [props.points, props.from, props.to, props.low, props.high, props.bands, props.marks]);

  return <div className="chart" dir="ltr" ref={place} style={{ blockSize: props.height }} aria-hidden="true" />;
}
