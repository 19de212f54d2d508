// SPDX-License-Identifier: Apache-2.0
// Tabs, as the ARIA practices have them: arrows move, the chosen one stands in the address (?tab=versions).
import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { currentQuery, setQuery } from '../app/router';

export interface Tab {
  id: string;
  label: string;
  /** Shown behind the label. */
  count?: number;
  view: () => ComponentChildren;
}

export function Tabs({ label, tabs }: { label: string; tabs: Tab[] }) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const chosen = tabs.find((t) => t.id === currentQuery.value.get('tab')) ?? tabs[0]!;
  const choose = (tab: Tab) => setQuery({ tab: tab === tabs[0] ? null : tab.id });
  const move = (event: KeyboardEvent) => {
    const at = tabs.indexOf(chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = (to + tabs.length) % tabs.length;
    choose(tabs[next]!);
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="tabs">
      <div class="tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((t) => (
          <button
            key={t.id}
            type="button"
            role="tab"
            id={`${id}-${t.id}`}
            aria-selected={t === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={t === chosen ? 0 : -1}
            onClick={() => choose(t)}
          >
            {t.label}
            {t.count !== undefined && <span class="count">{t.count}</span>}
          </button>
        ))}
      </div>
      <div
        key={chosen.id}
        id={`${id}-panel`}
        role="tabpanel"
        aria-labelledby={`${id}-${chosen.id}`}
        tabIndex={0}
        class="tab-panel"
      >
        {chosen.view()}
      </div>
    </div>
  );
}
