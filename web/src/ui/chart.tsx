// SPDX-License-Identifier: Apache-2.0
// Stacked bars over days, drawn by uPlot. The same numbers stand in a table below, for who cannot see the drawing.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { theme } from '../app/theme';
import { number } from '../lib/text';
import { Table } from './table';

export interface Series {
  label: string;
  /** A custom property of the style sheet: "--good". */
  color: string;
  values: number[];
}

const height = 220;

function stacked(series: Series[]): number[][] {
  const sums: number[][] = [];
  for (const s of series) {
    const below = sums.at(-1);
    sums.push(s.values.map((v, i) => v + (below?.[i] ?? 0)));
  }
  return sums;
}

const short = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const month = new Intl.DateTimeFormat(undefined, { month: 'short', year: '2-digit', timeZone: 'UTC' });
/** "2026-01" is a month. */
const dayLabel = (day: string) =>
  day.length === 7 ? month.format(new Date(`${day}-01T00:00:00Z`)) : short.format(new Date(`${day}T00:00:00Z`));

function draw(target: HTMLElement, days: string[], series: Series[]): uPlot {
  const css = getComputedStyle(document.documentElement);
  const color = (name: string) => css.getPropertyValue(name).trim();
  const axis = { stroke: color('--muted'), grid: { stroke: color('--line'), width: 1 }, ticks: { show: false } };
  const bars = uPlot.paths.bars!({ size: [0.62, 40], radius: 0.15 });
  // The highest stack is drawn first, so that each lower one covers its part.
  const order = stacked(series)
    .map((sums, i) => ({ ...series[i]!, sums }))
    .reverse();
  const font = `12px ${css.getPropertyValue('--sans')}`;
  return new uPlot(
    {
      width: target.clientWidth,
      height,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: (_u, min, max) => [min - 0.6, max + 0.6] },
        y: { range: (_u, _min, max) => [0, Math.max(max * 1.08, 4)] },
      },
      axes: [
        {
          ...axis,
          font,
          size: 30,
          grid: { show: false },
          incrs: [1, 2, 3, 5, 7, 10, 14, 30],
          space: 64,
          values: (_u, at) => at.map((i) => (Number.isInteger(i) && days[i] ? dayLabel(days[i]!) : '')),
        },
        {
          ...axis,
          font,
          size: 48,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7],
          values: (_u, at) => at.map((v) => number(v)),
        },
      ],
      series: [
        {},
        ...order.map((s) => ({
          label: s.label,
          fill: color(s.color),
          stroke: color(s.color),
          width: 0,
          paths: bars,
          points: { show: false },
        })),
      ],
    },
    [days.map((_, i) => i), ...order.map((s) => s.sums)],
    target,
  );
}

export function DayChart({ label, days, series }: { label: string; days: string[]; series: Series[] }) {
  const target = useRef<HTMLDivElement>(null);
  const chosen = theme.value;
  useEffect(() => {
    const element = target.current!;
    let plot = draw(element, days, series);
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [days, series, chosen]);

  const total = series.map((s) => `${s.label} ${number(s.values.reduce((a, b) => a + b, 0))}`).join(', ');
  return (
    <figure class="chart">
      <div ref={target} class="chart-area" role="img" aria-label={`${label}. In all: ${total}.`} />
      <figcaption>
        <ul class="legend">
          {series.map((s) => (
            <li key={s.label}>
              <span class={`swatch ${s.color.slice(2)}`} aria-hidden="true" />
              {s.label} <strong>{number(s.values.reduce((a, b) => a + b, 0))}</strong>
            </li>
          ))}
        </ul>
        <details>
          <summary>Show the numbers</summary>
          <Table
            caption={label}
            id={(i) => String(i)}
            rows={days.map((_, i) => i).reverse()}
            columns={[
              { head: days[0]?.length === 7 ? 'Month (UTC)' : 'Day (UTC)', cell: (i) => days[i] },
              ...series.map((s) => ({
                head: s.label,
                kind: 'number' as const,
                cell: (i: number) => number(s.values[i]!),
              })),
            ]}
          />
        </details>
      </figcaption>
    </figure>
  );
}
