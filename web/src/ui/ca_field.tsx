// SPDX-License-Identifier: Apache-2.0
// Which CA certifies a key: asked only where there are several for code signing.
import type { Ca, Page } from '../api/types';
import { SelectField, type FormState } from './form';
import { useQuery } from './query';

export function CaField<V extends { ca: string }>({ form, none }: { form: FormState<V>; none: string }) {
  const cas = useQuery<Page<Ca>>('/v1/cas?state=active&limit=1000');
  const list = cas.data?.items.filter((c) => c.purpose === 'code_signing') ?? [];
  if (list.length < 2) return null;
  return (
    <SelectField
      form={form as unknown as FormState<{ ca: string }>}
      name="ca"
      label="Certificate authority"
      none={none}
      choices={list.map((c) => [c.name, `${c.name}: ${c.subject}`])}
    />
  );
}
