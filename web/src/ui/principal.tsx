// SPDX-License-Identifier: Apache-2.0
// Choosing a user, service account or team by name: who may list them gets suggestions while typing.
import { useId } from 'preact/hooks';
import { withQuery } from '../api/client';
import { readsAll } from '../api/session';
import type { MemberType, Page } from '../api/types';
import { TextField, type FormState } from './form';
import { useQuery } from './query';

interface Named {
  name: string;
}
const suggestionsMost = 20;

const lists: Record<MemberType, string> = {
  user: '/v1/users',
  service_account: '/v1/service-accounts',
  team: '/v1/teams',
};

function useNames(type: MemberType, begins: string, wanted: boolean): string[] {
  // Teams cannot be asked for by the beginning of their name.
  const query =
    type === 'team'
      ? { limit: 100 }
      : { limit: suggestionsMost, name: /^[a-z0-9._-]{1,63}$/.test(begins) ? begins : '' };
  const list = useQuery<Page<Named>>(wanted ? withQuery(lists[type], query) : null);
  return list.data?.items.map((i) => i.name) ?? [];
}

export function PrincipalField<V extends { principal: string }>({
  form,
  types,
  label,
  help,
  autofocus,
}: {
  form: FormState<V>;
  types: MemberType[];
  label: string;
  help?: string;
  autofocus?: boolean;
}) {
  const id = useId();
  const typed = form.values.principal;
  const may = readsAll.value;
  const names = [
    ...useNames('user', typed, may && types.includes('user')),
    ...useNames('service_account', typed, may && types.includes('service_account')),
    ...useNames('team', typed, may && types.includes('team')),
  ];
  return (
    <>
      <TextField
        form={form as unknown as FormState<{ principal: string }>}
        name="principal"
        label={label}
        help={help}
        required
        machine
        list={id}
        autofocus={autofocus}
      />
      <datalist id={id}>
        {[...new Set(names)].map((n) => (
          <option key={n} value={n} />
        ))}
      </datalist>
    </>
  );
}
