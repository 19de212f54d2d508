// SPDX-License-Identifier: Apache-2.0
// Choosing a signing key by its name, with suggestions while typing.
import { useId } from 'preact/hooks';
import { withQuery } from '../api/client';
import type { Key, Page } from '../api/types';
import { keyName } from '../lib/keys';
import { TextField, type FormState } from './form';
import { useQuery } from './query';

/** What was typed, as a filter of the list: "fir" is a project or a label, "firmware:boo" both. */
function filterOf(typed: string): Record<string, string> {
  const [project, label] = typed.split(':');
  if (!/^[a-z0-9._-]*:?[a-z0-9._-]*$/.test(typed)) return {};
  return label === undefined ? { label: project ?? '' } : { project: project!, label };
}

export function KeyField<V extends { key: string }>({
  form,
  label,
  help,
  autofocus,
}: {
  form: FormState<V>;
  label: string;
  help?: string;
  autofocus?: boolean;
}) {
  const id = useId();
  const list = useQuery<Page<Key>>(withQuery('/v1/keys', { ...filterOf(form.values.key), limit: 20 }));
  const other = useQuery<Page<Key>>(list.data?.items.length === 0 ? withQuery('/v1/keys', { limit: 20 }) : null);
  const keys = list.data?.items.length ? list.data.items : (other.data?.items ?? []);
  return (
    <>
      <TextField
        form={form as unknown as FormState<{ key: string }>}
        name="key"
        label={label}
        help={help}
        required
        machine
        list={id}
        placeholder="project:label"
        autofocus={autofocus}
      />
      <datalist id={id}>
        {keys.map((k) => (
          <option key={k.id} value={keyName(k)} />
        ))}
      </datalist>
    </>
  );
}
