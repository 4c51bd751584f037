// The course of one number, small. What it says is also in the text beside it: hidden from assistive technology.

import { memo } from "react";

interface Props {
  points: readonly (readonly [number, number])[]; // ascending first numbers
  width?: number;
  height?: number;
  limit?: number;
  step?: boolean;
}

export const Sparkline = memo(function Sparkline({ points, width = 160, height = 40, limit, step }: Props) {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length < 2) return <svg className="sparkline" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" />;
  const most = Math.max(limit ?? 0, ...points.map(([, value]) => value)) || 1;
  const span = last[0] - first[0] || 1;
  const x = (at: number) => ((at - first[0]) / span) * width;
  const y = (value: number) => height - 2 - (value / most) * (height - 4);
  const line = points
    .map(([at, value], i) => (i === 0 ? `M${x(at).toFixed(1)} ${y(value).toFixed(1)}` : step ? `H${x(at).toFixed(1)}V${y(value).toFixed(1)}` : `L${x(at).toFixed(1)} ${y(value).toFixed(1)}`))
    .join("");
  return (
    <svg className="sparkline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path className="area" d={`${line}V${height}H0Z`} />
      <path className="line" d={line} />
      {limit !== undefined && <path className="limit" d={`M0 ${y(limit).toFixed(1)}H${width}`} />}
    </svg>
  );
});
