// SPDX-License-Identifier: Apache-2.0
// Which HSM a key is made in: asked only where there are several, and the caller may know of them.
import { readsAll } from '../api/session';
import type { Hsm, KeyType, Page } from '../api/types';
import { nameOf } from '../lib/text';
import { SelectField, type FormState } from './form';
import { useQuery } from './query';

export function HsmField<V extends { hsm: string }>({
  form,
  type,
  none = 'default',
}: {
  form: FormState<V>;
  /** Only those that can make this kind. */
  type?: KeyType;
  /** What the empty choice means. */
  none?: string;
}) {
  const hsms = useQuery<Page<Hsm>>(readsAll.value ? '/v1/hsms' : null);
  const list = hsms.data?.items ?? [];
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
