// SPDX-License-Identifier: Apache-2.0
// Choosing a user, service account or team by name: who may list them gets suggestions while typing.
import { useId } from 'preact/hooks';
import { withQuery } from '../api/client';
import { readsAll } from '../api/session';
import type { MemberType, Page } from '../api/types';
import { href } from '../app/router';
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

const idBegins: Record<MemberType, string> = { user: 'usr_', service_account: 'svc_', team: 'team_' };
const pages: Record<MemberType, string> = { user: '/users', service_account: '/service-accounts', team: '/teams' };

/** The same by the id: who wrote a record, who asked for a job. Others, such as the server, are a name alone. */
export function PrincipalOf({ id, name }: { id: string | null; name: string }) {
  const type = (['user', 'service_account', 'team'] as const).find((t) => id?.startsWith(idBegins[t]));
  return type ? <PrincipalLink type={type} name={name} /> : <>{name}</>;
}

/** The way to the page of a user, service account or team, for who may look at it. */
export function PrincipalLink({ type, name }: { type: MemberType; name: string }) {
  return readsAll.value ? <a href={href(pages[type], name)}>{name}</a> : <>{name}</>;
}

function useNames(type: MemberType, begins: string, wanted: boolean): string[] {
  // Teams cannot be asked for by the beginning of their name.
  const query =
    type === 'team'
      ? { limit: 100 }
      : { limit: suggestionsMost, name: /^[a-z0-9._-]{1,63}$/.test(begins) ? begins : '' };
  const list = useQuery<Page<Named>>(wanted ? withQuery(lists[type], query) : null);
  return list.data?.items.map((i) => i.name) ?? [];
}

/** The way to the page of a user or service account of this name, for who may list them; others see nothing. */
export function AccountLink({ name }: { name: string }) {
  const find = (type: MemberType) => useNames(type, name, readsAll.value).includes(name);
  const isUser = find('user');
  const isService = find('service_account');
  if (!isUser && !isService) return null;
  const type = isUser ? 'user' : 'service_account';
  return <a href={href(pages[type], name)}>The account {name}</a>;
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
