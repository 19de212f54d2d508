// SPDX-License-Identifier: Apache-2.0
// Single labelled inputs that hold no state of their own, for editors whose value is a document and not a form.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { classes } from './basic';

interface Described {
  id: string;
  'aria-describedby': string | undefined;
}

function Labelled({
  label,
  help,
  children,
}: {
  label: string;
  help?: ComponentChildren;
  children: (described: Described) => ComponentChildren;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, 'aria-describedby': help ? `${id}-help` : undefined })}
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

interface Props<T> {
  label: string;
  help?: ComponentChildren;
  value: T;
  onChange: (value: T) => void;
}

export function TextInput({
  label,
  help,
  value,
  onChange,
  machine,
  ...rest
}: Props<string> & {
  machine?: boolean;
  placeholder?: string;
  list?: string;
  maxLength?: number;
  type?: 'text' | 'datetime-local' | 'date' | 'month';
}) {
  return (
    <Labelled label={label} help={help}>
      {(described) => (
        <input
          type={(rest.type ?? 'text') as 'text'}
          value={value}
          class={classes(machine && 'machine')}
          autocomplete="off"
          spellcheck={!machine}
          onInput={(e) => onChange(e.currentTarget.value)}
          {...rest}
          {...described}
        />
      )}
    </Labelled>
  );
}

/** Empty is undefined. */
export function NumberInput({
  label,
  help,
  value,
  onChange,
  min = 0,
  max,
  placeholder,
}: Props<number | undefined> & { min?: number; max?: number; placeholder?: string }) {
  return (
    <Labelled label={label} help={help}>
      {(described) => (
        <input
          type="number"
          min={min}
          max={max}
          step={1}
          inputMode="numeric"
          placeholder={placeholder}
          value={value ?? ''}
          onInput={(e) => {
            const text = e.currentTarget.value;
            onChange(text === '' || Number.isNaN(Number(text)) ? undefined : Number(text));
          }}
          {...described}
        />
      )}
    </Labelled>
  );
}

export function SelectInput({
  label,
  help,
  value,
  onChange,
  choices,
}: Props<string> & { choices: [string, string][] }) {
  return (
    <Labelled label={label} help={help}>
      {(described) => (
        <select value={value} onChange={(e) => onChange(e.currentTarget.value)} {...described}>
          {choices.map(([v, text]) => (
            <option key={v} value={v}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Labelled>
  );
}

/** A list of words, one a line; what is being typed stays as it is typed. */
export function LinesInput({ label, help, value, onChange, placeholder }: Props<string[]> & { placeholder?: string }) {
  const listOf = (text: string) => text.split('\n').flatMap((line) => line.trim() || []);
  const [text, setText] = useState(value.join('\n'));
  useEffect(() => {
    if (listOf(text).join('\n') !== value.join('\n')) setText(value.join('\n'));
  }, [value]);
  return (
    <Labelled label={label} help={help}>
      {(described) => (
        <textarea
          class="machine"
          rows={Math.min(Math.max(text.split('\n').length, 2), 12)}
          value={text}
          spellcheck={false}
          placeholder={placeholder}
          onInput={(e) => {
            setText(e.currentTarget.value);
            onChange(listOf(e.currentTarget.value));
          }}
          {...described}
        />
      )}
    </Labelled>
  );
}

export function CheckInput({ label, help, value, onChange }: Props<boolean>) {
  const id = useId();
  return (
    <div class="field check">
      <input
        type="checkbox"
        id={id}
        checked={value}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={(e) => onChange(e.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        {help && (
          <p class="help" id={`${id}-help`}>
            {help}
          </p>
        )}
      </div>
    </div>
  );
}

export function ChecksInput<T extends string>({
  label,
  help,
  value,
  onChange,
  choices,
}: Props<T[]> & { choices: readonly (readonly [T, string])[] }) {
  const id = useId();
  return (
    <fieldset class="field" aria-describedby={help ? `${id}-help` : undefined}>
      <legend>{label}</legend>
      <div class="checks">
        {choices.map(([v, text]) => (
          <label key={v} class="chip">
            <input
              type="checkbox"
              checked={value.includes(v)}
              onChange={(e) =>
                onChange(choices.map(([c]) => c).filter((c) => (c === v ? e.currentTarget.checked : value.includes(c))))
              }
            />
            {text}
          </label>
        ))}
      </div>
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </fieldset>
  );
}
