// SPDX-License-Identifier: Apache-2.0
// A table as CSV (RFC 4180). A text that a spreadsheet would take for a formula is kept a text.

type Cell = string | number | null;

function cellOf(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

export const csvOf = (rows: Cell[][]) => rows.map((row) => row.map(cellOf).join(',') + '\r\n').join('');
