// SPDX-License-Identifier: Apache-2.0
// One user: role, ways to sign in, roles in projects.
import { useState } from 'preact/hooks';
import { api, path } from '../api/client';
import { isAdministrator, readsAll, session } from '../api/session';
import type { PasswordState, PlatformRole, TotpState, User } from '../api/types';
import type { PageProps } from '../app/page';
import { href, navigate } from '../app/router';
import { capital } from '../lib/text';
import {
  Badge,
  Button,
  Card,
  Code,
  CodeBlock,
  Facts,
  LinkButton,
  Loading,
  Note,
  PageHead,
  Problem,
  Time,
} from '../ui/basic';
import { ApiKeysCard, SessionsCard } from '../ui/credentials';
import { confirmAction, Dialog, openDialog } from '../ui/dialog';
import { Form, SelectField, useForm } from '../ui/form';
import { useQuery } from '../ui/query';
import { useSeen } from '../ui/seen';
import { RolesCard } from '../ui/roles';
import { Tabs, type Tab } from '../ui/tabs';
import { toast } from '../ui/toast';
import { platformRoleHelp, platformRoles } from './users';

const crumbs: [string, string][] = [['Users', href('/users')]];

function ChangeRole({ of, close }: { of: User; close: () => void }) {
  const form = useForm({ role: of.role as string });
  const { seen, reload } = useSeen(of, path`/v1/users/${of.name}`);
  return (
    <Dialog title={`Change the role of ${of.name}`} onClose={close}>
      <Form
        form={form}
        submit="Save"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          await api.patch(path`/v1/users/${of.name}`, { role: v.role }, { revision: seen.revision });
          close();
          toast(`${of.name} is ${v.role}`);
        }}
      >
        <SelectField
          form={form}
          name="role"
          label="Role on the platform"
          required
          choices={platformRoles.map((r) => [r, capital(r)])}
          help={platformRoleHelp[form.values.role as PlatformRole]}
        />
      </Form>
    </Dialog>
  );
}

function switchState(of: User) {
  const isActive = of.state === 'active';
  confirmAction({
    title: isActive ? `Disable ${of.name}?` : `Enable ${of.name}?`,
    consequences: isActive
      ? [
          `The very next request and signature of ${of.name} is refused; sessions end.`,
          'API keys, roles and teams stay.',
        ]
      : [`${of.name} can sign in again, with the roles there were.`],
    action: isActive ? 'Disable' : 'Enable',
    danger: isActive,
    run: () =>
      api.post(
        isActive ? path`/v1/users/${of.name}/disable` : path`/v1/users/${of.name}/enable`,
        {},
        { revision: of.revision },
      ),
    done: `${of.name} is ${isActive ? 'disabled' : 'enabled'}`,
  });
}

function remove(of: User) {
  confirmAction({
    title: `Remove ${of.name}?`,
    consequences: [
      'The very next request and signature is refused.',
      'Password, API keys, sessions, roles and places in teams are gone; the name is never given again.',
      `What ${of.name} did stays on record.`,
    ],
    action: 'Remove the user',
    danger: true,
    typeName: of.name,
    run: async () => {
      await api.delete(path`/v1/users/${of.name}`, { revision: of.revision });
      navigate(href('/users'));
    },
    done: `${of.name} is removed`,
  });
}

// ---- ways to sign in, as an administrator sees them

const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
/** 20 letters in groups of five: 98 bits, and easily read out. */
function oneTimePassword(): string {
  let made = '';
  while (made.replace(/-/g, '').length < 20) {
    const byte = crypto.getRandomValues(new Uint8Array(1))[0]!;
    if (byte >= letters.length * 8) continue; // evenly
    made += letters[byte % letters.length];
    if (made.replace(/-/g, '').length % 5 === 0 && made.length < 23) made += '-';
  }
  return made;
}

function OneTimePassword({ of, close }: { of: User; close: () => void }) {
  const form = useForm({});
  const [made] = useState(oneTimePassword);
  const [isSet, setIsSet] = useState(false);
  if (isSet)
    return (
      <Dialog title={`One-time password of ${of.name}`} onClose={close}>
        <Note tone="warn" title="Copy it now: it is shown only here">
          It is good for 72 hours and for one thing: choosing a password of one's own.
        </Note>
        <CodeBlock label="one-time password" text={made} />
        <div class="form-end">
          <Button kind="primary" onClick={close}>
            Done
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={`Give ${of.name} a one-time password?`} onClose={close}>
      <ul class="consequences">
        <li>The password {of.name} has now, if any, works no more; sessions opened with it end.</li>
        <li>The new one is made here and shown once; give it to {of.name} in a safe way.</li>
        <li>It is good for 72 hours, and the first sign-in asks for another.</li>
      </ul>
      <Form
        form={form}
        submit="Make it"
        onCancel={close}
        onSubmit={async () => {
          await api.put(path`/v1/users/${of.name}/password`, { password: made });
          setIsSet(true);
        }}
      >
        {null}
      </Form>
    </Dialog>
  );
}

function removePassword(of: User) {
  confirmAction({
    title: `Remove the password of ${of.name}?`,
    consequences: ['Sessions opened with it end.', `${of.name} signs in with an API key, or gets a one-time password.`],
    action: 'Remove the password',
    danger: true,
    run: () => api.delete(path`/v1/users/${of.name}/password`),
    done: `The password of ${of.name} is removed`,
  });
}

function removeFactor(of: User) {
  confirmAction({
    title: `Remove the second factor of ${of.name}?`,
    consequences: [
      `${of.name} then signs in with the password alone, and can set up another second factor.`,
      'Make sure it is really them who asked: this is what a thief of a password would ask for.',
    ],
    action: 'Remove the second factor',
    danger: true,
    run: () => api.delete(path`/v1/users/${of.name}/totp`),
    done: `The second factor of ${of.name} is removed`,
  });
}

export function PasswordFact({ of }: { of: PasswordState | undefined }) {
  if (!of) return <span class="muted">…</span>;
  if (!of.is_set) return <>none</>;
  return (
    <>
      {of.is_one_time ? <Badge tone="warn">one-time</Badge> : 'set'} <Time at={of.changed} style="ago" />
    </>
  );
}

export function FactorFact({ of }: { of: TotpState | undefined }) {
  if (!of) return <span class="muted">…</span>;
  if (of.state === 'off') return <>none</>;
  if (of.state === 'begun') return <Badge tone="warn">begun, not yet confirmed</Badge>;
  return (
    <>
      <Badge tone="good">on</Badge> since <Time at={of.since} style="date" />
    </>
  );
}

function SignInCard({ of }: { of: User }) {
  const password = useQuery<PasswordState>(path`/v1/users/${of.name}/password`);
  const factor = useQuery<TotpState>(path`/v1/users/${of.name}/totp`);
  const failed = password.error ?? factor.error;
  return (
    <Card title="Password and second factor">
      {!!failed && <Problem error={failed} retry={() => (password.reload(), factor.reload())} />}
      <Facts
        rows={[
          ['Password', <PasswordFact of={password.data} />],
          ['Second factor', <FactorFact of={factor.data} />],
        ]}
      />
      <div class="actions">
        <Button onClick={() => openDialog((close) => <OneTimePassword of={of} close={close} />)}>
          Give a one-time password
        </Button>
        {password.data?.is_set && <Button onClick={() => removePassword(of)}>Remove the password</Button>}
        {factor.data && factor.data.state !== 'off' && (
          <Button onClick={() => removeFactor(of)}>Remove the second factor</Button>
        )}
      </div>
    </Card>
  );
}

export function UserPage({ params }: PageProps) {
  const { data: user, error, reload } = useQuery<User>(path`/v1/users/${params.user!}`);
  if (!user)
    return (
      <>
        <PageHead title={params.user} crumbs={crumbs} />
        {error ? <Problem error={error} retry={reload} /> : <Loading label="User" />}
      </>
    );
  const isMe = user.name === session.value?.user;
  const roles: Tab = {
    id: 'roles',
    label: 'Roles',
    view: () => (
      <>
        <RolesCard of={user.name} path={path`/v1/users/${user.name}/roles`} byTeam />
        <Card title="About this user">
          <Facts
            rows={[
              ['Role on the platform', capital(user.role)],
              ['Created', <Time at={user.created} />],
              ['Id', <Code text={user.id} label="id of the user" />],
            ]}
          />
        </Card>
      </>
    ),
  };
  const signIn: Tab[] = [
    {
      id: 'sign-in',
      label: 'Sign-in',
      view: () => (
        <>
          {!isMe && <SignInCard of={user} />}
          <SessionsCard user={user.name} />
        </>
      ),
    },
    { id: 'api-keys', label: 'API keys', view: () => <ApiKeysCard user={user.name} /> },
  ];
  return (
    <>
      <PageHead
        title={user.name}
        crumbs={crumbs}
        badge={
          <>
            <Badge state={user.state} />
            {user.role !== 'user' && <Badge tone="info">{capital(user.role)}</Badge>}
          </>
        }
      >
        {isMe && <LinkButton to={href('/me')}>My account</LinkButton>}
        {readsAll.value && (
          <LinkButton icon="audit" to={href('/audit', { principal: user.name })}>
            Records
          </LinkButton>
        )}
        {isAdministrator.value && (
          <>
            <Button onClick={() => openDialog((close) => <ChangeRole of={user} close={close} />)}>Change role</Button>
            <Button onClick={() => switchState(user)}>{user.state === 'active' ? 'Disable' : 'Enable'}</Button>
            <Button kind="danger" onClick={() => remove(user)}>
              Remove
            </Button>
          </>
        )}
      </PageHead>
      {!!error && <Problem error={error} retry={reload} />}
      <Tabs label={`Parts of ${user.name}`} tabs={isAdministrator.value || isMe ? [roles, ...signIn] : [roles]} />
    </>
  );
}
