// SPDX-License-Identifier: Apache-2.0
// Forms. What is typed stays until the server has taken it; an error that names a field stands at the field and takes the
// focus there, any other above the buttons.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { Once } from '../api/client';
import { ApiError, Cancelled } from '../api/problem';
import { capital } from '../lib/text';
import { Button, Problem, classes } from './basic';
import { Icon } from './icons';

export type Values = object;

export interface FormState<V extends Values> {
  values: V;
  set: <K extends keyof V>(name: K, value: V[K]) => void;
  errors: Partial<Record<keyof V, string>>;
  /** Shows an error at a field; for checks that only the page can make. */
  fail: (name: keyof V, text: string) => void;
  error: unknown;
  busy: boolean;
  /** For api.create: a form that is sent twice makes one object. */
  once: Once;
  /** Runs the work with this form's handling of errors; true when it went well. */
  run: (work: () => Promise<unknown>) => Promise<boolean>;
  reset: () => void;
}

export function useForm<V extends Values>(initial: V): FormState<V> {
  const [values, setValues] = useState(initial);
  const [errors, setErrors] = useState<Partial<Record<keyof V, string>>>({});
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const [once] = useState(() => new Once());

  const fail = (name: keyof V, text: string) => setErrors((e) => ({ ...e, [name]: text }));

  const take = (e: unknown) => {
    const field = e instanceof ApiError ? e.field : null;
    // "certificate.subject" is of the field subject, unless there is one for the whole.
    const name = field?.name.split(/[.[\]]/).find((part) => part in initial);
    if (field && name) fail(name as keyof V, capital(field.text));
    else setError(e);
  };

  const run = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setErrors({});
    setError(null);
    try {
      await work();
      return true;
    } catch (e) {
      if (!(e instanceof Cancelled)) take(e);
      return false;
    } finally {
      setBusy(false);
    }
  };

  return {
    values,
    set: (name, value) => {
      setValues((v) => ({ ...v, [name]: value }));
      setErrors((e) => ({ ...e, [name]: undefined }));
    },
    errors,
    fail,
    error,
    busy,
    once,
    run,
    reset: () => {
      setValues(initial);
      setErrors({});
      setError(null);
    },
  };
}

interface FormProps<V extends Values> {
  form: FormState<V>;
  /** Throw (or let the client throw) to keep the form open with the error. */
  onSubmit: (values: V) => Promise<unknown>;
  submit: string;
  danger?: boolean;
  disabled?: boolean;
  onCancel?: () => void;
  /** After a 412: load what is there now; what is typed stays. */
  onReload?: () => Promise<unknown>;
  children: ComponentChildren;
}

export function Form<V extends Values>({
  form,
  onSubmit,
  submit,
  danger,
  disabled,
  onCancel,
  onReload,
  children,
}: FormProps<V>) {
  const element = useRef<HTMLFormElement>(null);
  const send = () => void form.run(() => onSubmit(form.values));

  const faulty = Object.values(form.errors).some(Boolean);
  useEffect(() => {
    if (faulty && !form.busy) element.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [faulty, form.busy]);

  return (
    <form
      ref={element}
      class="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (form.busy || disabled) return;
        const missing = [...(element.current?.elements ?? [])].find(
          (e) => e instanceof HTMLElement && 'checkValidity' in e && !(e as HTMLInputElement).checkValidity(),
        ) as HTMLInputElement | undefined;
        if (missing) {
          form.fail(missing.name as keyof V, missing.validationMessage);
          missing.focus();
        } else send();
      }}
    >
      {children}
      {!!form.error && <Problem error={form.error} retry={send} reload={onReload && (() => void form.run(onReload))} />}
      <div class="form-end">
        <Button type="submit" kind={danger ? 'danger' : 'primary'} busy={form.busy} disabled={disabled}>
          {submit}
        </Button>
        {onCancel && <Button onClick={onCancel}>Cancel</Button>}
      </div>
    </form>
  );
}

type NamesOf<V, T> = { [K in keyof V]: V[K] extends T ? K : never }[keyof V] & string;

interface FieldProps<V extends Values, T> {
  form: FormState<V>;
  name: NamesOf<V, T>;
  label: string;
  help?: ComponentChildren;
  required?: boolean;
}

interface Described {
  id: string;
  name: string;
  'aria-invalid': boolean | undefined;
  'aria-describedby': string | undefined;
}

function Field<V extends Values>({
  form,
  name,
  label,
  help,
  required,
  children,
}: {
  form: FormState<V>;
  name: keyof V & string;
  label: string;
  help?: ComponentChildren;
  required?: boolean;
  children: (described: Described) => ComponentChildren;
}) {
  const id = useId();
  const error = form.errors[name];
  const describedBy = classes(error && `${id}-error`, help ? `${id}-help` : false) || undefined;
  return (
    <div class={classes('field', error && 'faulty')}>
      <label for={id}>
        {label}
        {!required && <span class="optional"> (optional)</span>}
      </label>
      {children({ id, name, 'aria-invalid': error ? true : undefined, 'aria-describedby': describedBy })}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          <Icon name="warning" />
          {error}
        </p>
      )}
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </div>
  );
}

interface TextProps<V extends Values> extends FieldProps<V, string> {
  type?: 'text' | 'password' | 'number' | 'datetime-local' | 'date' | 'search';
  placeholder?: string;
  autocomplete?: string;
  /** Codes, names and digests: no capitals, no spelling. */
  machine?: boolean;
  maxLength?: number;
  min?: number | string;
  max?: number | string;
  pattern?: string;
  /** Id of a <datalist>. */
  list?: string;
  /** Several lines. */
  rows?: number;
  autofocus?: boolean;
}

export function TextField<V extends Values>({
  form,
  name,
  label,
  help,
  required,
  type = 'text',
  rows,
  machine,
  autofocus,
  ...rest
}: TextProps<V>) {
  const first = useRef<HTMLElement | null>(null);
  useEffect(() => {
    if (autofocus) first.current?.focus();
  }, [autofocus]);
  const common = {
    value: String(form.values[name] ?? ''),
    onInput: (e: Event) => form.set(name, (e.target as HTMLInputElement).value as V[typeof name]),
    required,
    'data-autofocus': autofocus || undefined,
    class: classes(machine && 'machine'),
    ...(machine ? ({ autocapitalize: 'off', spellcheck: false, autocomplete: 'off' } as const) : {}),
    ...rest,
  };
  return (
    <Field form={form} name={name} label={label} help={help} required={required}>
      {(described) =>
        rows ? (
          <textarea
            rows={rows}
            ref={(e) => {
              first.current = e;
            }}
            {...common}
            {...described}
          />
        ) : (
          <input
            type={type as 'text'}
            ref={(e) => {
              first.current = e;
            }}
            {...common}
            {...described}
          />
        )
      }
    </Field>
  );
}

export type Choice = string | [value: string, label: string];
const choiceOf = (c: Choice): [string, string] => (typeof c === 'string' ? [c, c] : c);

export function SelectField<V extends Values>({
  form,
  name,
  label,
  help,
  required,
  choices,
  none,
}: FieldProps<V, string> & { choices: Choice[]; /** Label of the empty choice. */ none?: string }) {
  return (
    <Field form={form} name={name} label={label} help={help} required={required}>
      {(described) => (
        <select
          value={String(form.values[name] ?? '')}
          onChange={(e) => form.set(name, e.currentTarget.value as V[typeof name])}
          required={required}
          {...described}
        >
          {none !== undefined && <option value="">{none}</option>}
          {choices.map(choiceOf).map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckField<V extends Values>({ form, name, label, help }: Omit<FieldProps<V, boolean>, 'required'>) {
  const id = useId();
  return (
    <div class="field check">
      <input
        type="checkbox"
        id={id}
        name={name}
        checked={Boolean(form.values[name])}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={(e) => form.set(name, e.currentTarget.checked as V[typeof name])}
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

/** Several of a few: a value that is a list of words. */
export function ChecksField<V extends Values>({
  form,
  name,
  label,
  help,
  choices,
}: Omit<FieldProps<V, string[]>, 'required'> & { choices: Choice[] }) {
  const id = useId();
  const chosen = (form.values[name] ?? []) as string[];
  const error = form.errors[name];
  return (
    <fieldset
      class={classes('field', error && 'faulty')}
      aria-describedby={classes(error && `${id}-error`, help ? `${id}-help` : false) || undefined}
    >
      <legend>{label}</legend>
      <div class="checks">
        {choices.map(choiceOf).map(([value, text]) => (
          <label key={value} class="chip">
            <input
              type="checkbox"
              checked={chosen.includes(value)}
              onChange={(e) =>
                form.set(
                  name,
                  (e.currentTarget.checked ? [...chosen, value] : chosen.filter((c) => c !== value)) as V[typeof name],
                )
              }
            />
            {text}
          </label>
        ))}
      </div>
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {help && (
        <p class="help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </fieldset>
  );
}
