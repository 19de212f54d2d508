// SPDX-License-Identifier: Apache-2.0
// The small parts: links, buttons, badges, times, copying, notes, cards, lists of facts.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError, plainWords } from '../api/problem';
import { fromNow, local, localDate, localExact, utc } from '../lib/time';
import { capital, human } from '../lib/text';
import { Icon, type IconName } from './icons';
import { toast } from './toast';

export const classes = (...names: (string | false | null | undefined)[]) => names.filter(Boolean).join(' ');

// ---- buttons

export interface ButtonProps {
  children: ComponentChildren;
  onClick?: (event: MouseEvent) => void;
  kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  icon?: IconName;
  type?: 'button' | 'submit';
  disabled?: boolean;
  /** Work is under way: it cannot be pressed again, and says so. */
  busy?: boolean;
  title?: string;
}

export function Button({ children, kind = 'plain', icon, type = 'button', busy, disabled, ...rest }: ButtonProps) {
  return (
    <button type={type} class={`button ${kind}`} disabled={disabled || busy} aria-busy={busy || undefined} {...rest}>
      {busy ? <span class="spinner" aria-hidden="true" /> : icon && <Icon name={icon} />}
      <span>{children}</span>
    </button>
  );
}

/** A button that is an icon alone; `label` is its name. */
export function IconButton({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" class="button quiet icon-only" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

/** A link that looks like a button. */
export function LinkButton({
  to,
  icon,
  kind = 'plain',
  children,
}: {
  to: string;
  icon?: IconName;
  kind?: string;
  children: ComponentChildren;
}) {
  return (
    <a href={to} class={`button ${kind}`}>
      {icon && <Icon name={icon} />}
      <span>{children}</span>
    </a>
  );
}

// ---- state

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'neutral';

const tones: Record<string, Tone> = {
  active: 'good',
  current: 'good',
  available: 'good',
  ready: 'good',
  ok: 'good',
  success: 'good',
  approved: 'good',
  approve: 'good',
  allows: 'good',
  pending: 'info',
  queued: 'info',
  running: 'info',
  waiting: 'info',
  done: 'good',
  failing: 'warn',
  paused: 'bad',
  grace: 'info',
  used: 'neutral',
  disabled: 'warn',
  refused: 'warn',
  expired: 'warn',
  notes: 'info',
  unknown: 'warn',
  missing: 'bad',
  denied: 'bad',
  deny: 'bad',
  refuses: 'bad',
  revoked: 'bad',
  failed: 'bad',
  failure: 'bad',
  unavailable: 'bad',
  not_ready: 'bad',
};

/** A state in words and colour, never in colour alone. Known states find their tone themselves. */
export function Badge({ state, tone, children }: { state?: string; tone?: Tone; children?: ComponentChildren }) {
  return (
    <span class={`badge ${tone ?? tones[state ?? ''] ?? 'neutral'}`}>{children ?? capital(human(state ?? ''))}</span>
  );
}

// ---- times

/** A time in the local zone; UTC on hover. null shows `none`. */
export function Time({
  at,
  style = 'time',
  none = '–',
}: {
  at: string | Date | null | undefined;
  /** exact: with seconds. */
  style?: 'time' | 'exact' | 'date' | 'ago';
  none?: string;
}) {
  if (!at) return <span class="muted">{none}</span>;
  const date = typeof at === 'string' ? new Date(at) : at;
  if (Number.isNaN(date.getTime())) return <span>{String(at)}</span>;
  const format = { time: local, exact: localExact, date: localDate, ago: fromNow }[style];
  const text = format(date);
  const title = style === 'time' || style === 'exact' ? utc(date) : `${local(date)} · ${utc(date)}`;
  return (
    <time dateTime={date.toISOString()} title={title}>
      {text}
    </time>
  );
}

// ---- text for machines

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      toast(`${label}: copied`);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      toast('The browser did not allow copying; select the text instead', 'bad');
    }
  };
  return (
    <button type="button" class="copy" aria-label={`Copy ${label}`} title={`Copy ${label}`} onClick={() => void copy()}>
      <Icon name={copied ? 'check' : 'copy'} />
    </button>
  );
}

/** An identifier, digest or fingerprint with a button to copy it. `short` shows the beginning only. */
export function Code({ text, label, short }: { text: string; label: string; short?: number }) {
  const shown = short && text.length > short ? `${text.slice(0, short)}…` : text;
  return (
    <span class="code">
      <code class={shown === text ? undefined : 'nowrap'} title={shown === text ? undefined : text}>
        {shown}
      </code>
      <CopyButton text={text} label={label} />
    </span>
  );
}

/** Lines to be copied as they are: commands, configuration, PEM. */
export function CodeBlock({ text, label, wrap }: { text: string; label: string; wrap?: boolean }) {
  return (
    <div class={classes('code-block', wrap && 'wrap')}>
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{text}</code>
      </pre>
      <CopyButton text={text} label={label} />
    </div>
  );
}

// ---- notes and errors

export function Note({
  tone = 'info',
  title,
  children,
}: {
  tone?: Tone;
  title?: ComponentChildren;
  children?: ComponentChildren;
}) {
  const icon: IconName = tone === 'bad' || tone === 'warn' ? 'warning' : tone === 'good' ? 'check' : 'info';
  return (
    <div class={`note ${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <Icon name={icon} />
      <div>
        {title && <strong>{title}</strong>}
        {children && <div>{children}</div>}
      </div>
    </div>
  );
}

/** An error in plain words, with what can be done about it. */
export function Problem({ error, retry, reload }: { error: unknown; retry?: () => void; reload?: () => void }) {
  const words = plainWords(error);
  return (
    <Note tone="bad" title={words.title}>
      <p>
        {capital(words.text)}
        {words.isStale &&
          (reload ? ' Load the present state, then save again.' : ' Close this to see what is there now.')}
      </p>
      {((retry && words.canRetry) || (reload && words.isStale)) && (
        <p class="actions">
          {retry && words.canRetry && (
            <Button icon="reload" onClick={retry}>
              Try again
            </Button>
          )}
          {reload && words.isStale && (
            <Button icon="reload" onClick={reload}>
              Load the present state
            </Button>
          )}
        </p>
      )}
      {words.requestId && error instanceof ApiError && error.status >= 500 && (
        <p class="small">
          Request <code>{words.requestId}</code>
        </p>
      )}
    </Note>
  );
}

export function Empty({
  title,
  children,
  icon = 'file',
}: {
  title: string;
  children?: ComponentChildren;
  icon?: IconName;
}) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <p class="empty-title">{title}</p>
      {children && <div>{children}</div>}
    </div>
  );
}

export function Loading({ lines = 3, label = 'Loading' }: { lines?: number; label?: string }) {
  return (
    <div class="loading" role="status">
      <span class="hidden">{label}…</span>
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} class="bone" aria-hidden="true" />
      ))}
    </div>
  );
}

// ---- structure

/** Title of a page: where it stands, what it is called, what can be done with it. */
export function PageHead({
  title,
  crumbs,
  badge,
  lead,
  children,
}: {
  title: ComponentChildren;
  crumbs?: [string, string][];
  badge?: ComponentChildren;
  lead?: ComponentChildren;
  /** Buttons. */
  children?: ComponentChildren;
}) {
  return (
    <header class="page-head">
      {crumbs && (
        <nav class="crumbs" aria-label="Where this page stands">
          {crumbs.map(([text, to]) => (
            <a key={to} href={to}>
              {text}
            </a>
          ))}
        </nav>
      )}
      <div class="page-title">
        <h1 tabIndex={-1}>{title}</h1>
        {badge}
        {children && <div class="page-actions">{children}</div>}
      </div>
      {lead && <p class="lead">{lead}</p>}
    </header>
  );
}

let cards = 0;
/** A titled box. */
export function Card({
  title,
  actions,
  children,
  wide,
  flush,
}: {
  title?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
  /** Takes the whole row of a grid. */
  wide?: boolean;
  /** No padding: for a table. */
  flush?: boolean;
}) {
  const [id] = useState(() => `card-${++cards}`);
  return (
    <section class={classes('card', wide && 'wide', flush && 'flush')} aria-labelledby={title ? id : undefined}>
      {title && (
        <div class="card-head">
          <h2 id={id}>{title}</h2>
          {actions && <div class="actions">{actions}</div>}
        </div>
      )}
      <div class="card-body">{children}</div>
    </section>
  );
}

export function Grid({ children, columns = 2 }: { children: ComponentChildren; columns?: 2 | 3 | 4 }) {
  return <div class={`grid columns-${columns}`}>{children}</div>;
}

/** Parts below one another: a column of a grid. */
export function Stack({ children }: { children: ComponentChildren }) {
  return <div class="stack">{children}</div>;
}

/** Names and values. A value that is undefined is left out. */
export function Facts({ rows }: { rows: [string, ComponentChildren | undefined][] }) {
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value === null || value === '' ? <span class="muted">–</span> : value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** A number worth seeing from afar. */
export function Figure({
  label,
  value,
  detail,
  tone,
  to,
}: {
  label: string;
  value: ComponentChildren;
  detail?: ComponentChildren;
  tone?: Tone;
  to?: string;
}) {
  const inside = (
    <>
      <span class="figure-label">{label}</span>
      <span class={classes('figure-value', tone)}>{value}</span>
      {detail && <span class="figure-detail">{detail}</span>}
    </>
  );
  return to ? (
    <a class="figure" href={to}>
      {inside}
    </a>
  ) : (
    <div class="figure">{inside}</div>
  );
}

export type Children = ComponentChildren;
export type Html = JSX.Element;
