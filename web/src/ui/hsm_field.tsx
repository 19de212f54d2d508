// SPDX-License-Identifier: Apache-2.0
// Which HSM a key is made in: asked only where there are several.
import type { KeySources, KeyType } from '../api/types';
import { nameOf } from '../lib/text';
import { SelectField, type FormState } from './form';

export function HsmField<V extends { hsm: string }>({
  form,
  sources,
  type,
  none = 'default',
}: {
  form: FormState<V>;
  sources: KeySources | undefined;
  /** Only those that can make this kind. */
  type?: KeyType;
  /** What the empty choice means. */
  none?: string;
}) {
  const list = sources?.hsms ?? [];
  const able = list.filter((h) => !type || h.key_types.length === 0 || h.key_types.includes(type));
  const chosen = list.find((h) => h.name === (form.values.hsm || 'default'));
  if (list.length < 2) return null;
  return (
    <SelectField
      form={form as unknown as FormState<{ hsm: string }>}
      name="hsm"
      label="HSM"
      none={none}
      choices={able.map((h) => [h.name, `${h.name} (${h.model}${h.state === 'available' ? '' : ', does not answer'})`])}
      help={
        chosen?.notice ??
        (type && able.length < list.length ? `Only those that can make ${nameOf(type)} are shown.` : undefined)
      }
    />
  );
}
