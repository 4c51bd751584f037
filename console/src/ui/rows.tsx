// A list of any length: only the rows that are seen are in the page. It is a table to assistive technology, with the number of
// all rows.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type ReactNode } from "react";
import { useScale } from "./media";

export interface RowsProps<T> {
  label: string;
  rows: readonly T[];
  id_of: (row: T) => string;
  head?: readonly string[];
  row_height: number; // in pixels, where text has its usual size
  className: string;
  render: (row: T) => ReactNode; // cells: elements with role="cell"
  row_class?: (row: T) => string;
  selected?: string;
  at_end?: () => void;
}

export function Rows<T>({ label, rows, id_of, head, row_height, className, render, row_class, selected, at_end }: RowsProps<T>) {
  const scroll = useRef<HTMLDivElement>(null);
  const height = row_height * useScale();
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => height,
    getItemKey: (index) => id_of(rows[index]!),
    overscan: 3,
  });
  useEffect(() => list.measure(), [list, height]);
  const selected_at = selected ? rows.findIndex((row) => id_of(row) === selected) : -1;
  useEffect(() => {
    if (selected_at >= 0) list.scrollToIndex(selected_at, { align: "auto" });
  }, [list, selected_at]);
  const items = list.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (at_end && last >= 0 && last >= rows.length - 1) at_end();
  }, [at_end, last, rows.length]);
  const offset = head ? 2 : 1;
  return (
    <div className={`rows ${className}`} role="table" aria-label={label} aria-rowcount={rows.length + (head ? 1 : 0)} ref={scroll} tabIndex={0}>
      {head && (
        <div role="rowgroup" className="rows-head">
          <div role="row" className="row-line" aria-rowindex={1}>
            {head.map((title, column) => (
              <span role="columnheader" key={column}>
                {title}
              </span>
            ))}
          </div>
        </div>
      )}
      <div role="rowgroup" className="rows-body" style={{ blockSize: list.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index]!;
          const id = id_of(row);
          return (
            <div
              role="row"
              key={item.key}
              aria-rowindex={item.index + offset}
              data-id={id}
              className={`row-line ${row_class?.(row) ?? ""}${id === selected ? " selected" : ""}`}
              style={{ transform: `translateY(${item.start}px)`, blockSize: item.size }}
            >
              {render(row)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
