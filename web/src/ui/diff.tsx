// SPDX-License-Identifier: Apache-2.0
// The difference of two texts, a line each, with + and - as well as colours.
import { diffLines } from '../lib/policy';

export function Diff({ before, after, label }: { before: string; after: string; label: string }) {
  const lines = diffLines(before, after);
  if (lines.every((l) => l.mark === ' ')) return <p class="muted">There is no difference.</p>;
  return (
    <pre class="diff" tabIndex={0} role="region" aria-label={label}>
      {lines.map((l, i) => (
        <div key={i} class={l.mark === '+' ? 'added' : l.mark === '-' ? 'removed' : undefined}>
          {l.mark} {l.text}
        </div>
      ))}
    </pre>
  );
}
