// SPDX-License-Identifier: Apache-2.0
// Filters above a list. They live in the address (?state=active), so a filtered list can be sent to a colleague.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { currentQuery, setQuery } from '../app/router';
import { fromInput, toInput } from '../lib/time';
import type { Choice } from './form';

/** What the address says of these names: { state: 'active', name: undefined }. */
export function useFilter<N extends string>(...names: N[]): Record<N, string | undefined> {
  const query = currentQuery.value;
  return Object.fromEntries(names.map((n) => [n, query.get(n) || undefined])) as Record<N, string | undefined>;
}

export function Filters({ children }: { children: ComponentChildren }) {
  return (
    <form class="filters" role="search" onSubmit={(e) => e.preventDefault()}>
      {children}
    </form>
  );
}

/** Asked for when typing pauses. */
export function TextFilter({ name, label, placeholder }: { name: string; label: string; placeholder?: string }) {
  const id = useId();
  const asked = currentQuery.value.get(name) ?? '';
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  useEffect(() => {
    if (text === asked) return;
    const timer = setTimeout(() => setQuery({ [name]: text.trim() || null }), 300);
    return () => clearTimeout(timer);
  }, [text, asked, name]);
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        class="machine"
        value={text}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        onInput={(e) => setText(e.currentTarget.value)}
      />
    </div>
  );
}

export function SelectFilter({
  name,
  label,
  choices,
  any = 'Any',
}: {
  name: string;
  label: string;
  choices: Choice[];
  any?: string;
}) {
  const id = useId();
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <select
        id={id}
        value={currentQuery.value.get(name) ?? ''}
        onChange={(e) => setQuery({ [name]: e.currentTarget.value || null })}
      >
        <option value="">{any}</option>
        {choices
          .map((c) => (typeof c === 'string' ? [c, c] : c))
          .map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
      </select>
    </div>
  );
}

/** A moment in the local zone; in the address as RFC 3339, as the interface takes it. */
export function TimeFilter({ name, label }: { name: string; label: string }) {
  const id = useId();
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="datetime-local"
        value={toInput(currentQuery.value.get(name))}
        onChange={(e) => setQuery({ [name]: fromInput(e.currentTarget.value) ?? null })}
      />
    </div>
  );
}

/** A day in UTC; what it is when nothing was chosen is shown, too. */
export function DayFilter({ name, label, value }: { name: string; label: string; value: string }) {
  const id = useId();
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <input id={id} type="date" value={value} onChange={(e) => setQuery({ [name]: e.currentTarget.value || null })} />
    </div>
  );
}
