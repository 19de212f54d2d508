// SPDX-License-Identifier: Apache-2.0
// API keys and sessions of a user, for himself and for administrators.
import { useState } from 'preact/hooks';
import { api, path } from '../api/client';
import { session } from '../api/session';
import type { ApiKey, NewApiKey, Scope, UserSession } from '../api/types';
import { fromInput } from '../lib/time';
import { Badge, Button, Card, CodeBlock, Empty, Note, Time } from './basic';
import { confirmAction, Dialog, openDialog } from './dialog';
import { ChecksField, Form, TextField, useForm } from './form';
import { NameField } from './name_field';
import { usePages } from './query';
import { PagedTable } from './table';

const scopes: [Scope, string][] = [
  ['sign', 'Sign'],
  ['read', 'Read'],
  ['admin', 'Administer'],
];
const scopeNames = Object.fromEntries(scopes) as Record<Scope, string>;

/** A secret that is shown this once. */
function Shown({ made, user, close }: { made: NewApiKey; user: string; close: () => void }) {
  return (
    <Dialog title={`API key ${made.name} of ${user}`} onClose={close}>
      <Note tone="warn" title="Copy it now: it is shown only here">
        The server keeps a hash of it. Who has it can do what its scopes allow, as {user}.
      </Note>
      <CodeBlock label="API key" text={made.api_key} wrap />
      <p class="help">
        Keep it in a file that others cannot read, and give that to <code>chancery login --api-key-file</code>; programs
        send it as <code>Authorization: Bearer …</code>.
      </p>
      <div class="form-end">
        <Button kind="primary" onClick={close}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}

function NewKey({ user, close }: { user: string; close: () => void }) {
  const form = useForm({ name: '', scopes: ['read'] as string[], expires: '' });
  const [made, setMade] = useState<NewApiKey | null>(null);
  if (made) return <Shown made={made} user={user} close={close} />;
  return (
    <Dialog title={`New API key of ${user}`} onClose={close}>
      <Form
        form={form}
        submit="Make the API key"
        onCancel={close}
        onSubmit={async (v) => {
          if (v.scopes.length === 0) return form.fail('scopes', 'Choose at least one');
          const body = {
            name: v.name.trim(),
            scopes: v.scopes,
            ...(v.expires ? { expires: fromInput(v.expires) } : {}),
          };
          setMade(await api.create<NewApiKey>(path`/v1/users/${user}/api-keys`, body, form.once));
        }}
      >
        <NameField form={form} help="What it is for." />
        <ChecksField
          form={form}
          name="scopes"
          label="Scopes"
          choices={scopes}
          help={`What may be done with it, within what ${user} may do.`}
        />
        <TextField
          form={form}
          name="expires"
          label="Expires"
          type="datetime-local"
          help="In your local time. Empty: never."
        />
      </Form>
    </Dialog>
  );
}

function revoke(user: string, key: ApiKey) {
  confirmAction({
    title: `Revoke API key ${key.name} of ${user}?`,
    consequences: [
      'The very next request with it is refused, and sessions opened with it end.',
      'It cannot be brought back.',
    ],
    action: 'Revoke',
    danger: true,
    run: () => api.delete(path`/v1/users/${user}/api-keys/${key.id}`),
    done: `API key ${key.name} of ${user} is revoked`,
  });
}

export function ApiKeysCard({ user }: { user: string }) {
  const keys = usePages<ApiKey>(path`/v1/users/${user}/api-keys`);
  return (
    <Card
      title="API keys"
      flush
      actions={
        <Button icon="plus" onClick={() => openDialog((close) => <NewKey user={user} close={close} />)}>
          New API key
        </Button>
      }
    >
      <PagedTable
        caption={`API keys of ${user}`}
        pages={keys}
        id={(k) => k.id}
        empty={
          <Empty icon="key" title={`${user} has no API key`}>
            The command and programs use one; the browser can, too.
          </Empty>
        }
        columns={[
          { head: 'Name', kind: 'main', cell: (k) => k.name },
          {
            head: 'Scopes',
            cell: (k) => (
              <span class="words">
                {k.scopes.map((s) => (
                  <span key={s} class="word">
                    {scopeNames[s]}
                  </span>
                ))}
              </span>
            ),
          },
          { head: 'Made', cell: (k) => <Time at={k.created} style="date" /> },
          { head: 'Last used', cell: (k) => <Time at={k.last_used} style="ago" none="never" /> },
          {
            head: 'Expires',
            cell: (k) =>
              k.expires && Date.parse(k.expires) <= Date.now() ? (
                <Badge state="expired" />
              ) : (
                <Time at={k.expires} style="date" none="never" />
              ),
          },
          {
            head: 'Actions',
            kind: 'actions',
            cell: (k) => (
              <Button kind="quiet" title={`Revoke API key ${k.name}`} onClick={() => revoke(user, k)}>
                Revoke
              </Button>
            ),
          },
        ]}
      />
    </Card>
  );
}

function endSession(user: string, s: UserSession) {
  confirmAction({
    title: `End the session of ${user} from ${s.address}?`,
    consequences: [
      s.id === session.value?.id
        ? 'It is this one: you sign in again afterwards.'
        : 'The next request in it is refused.',
    ],
    action: 'End the session',
    danger: true,
    run: () => api.delete(path`/v1/users/${user}/sessions/${s.id}`),
    done: `The session of ${user} from ${s.address} has ended`,
  });
}

function signOutEverywhere(user: string) {
  confirmAction({
    title: `Sign ${user} out everywhere?`,
    consequences: [
      `All sessions of ${user} end at once, in all browsers.`,
      ...(user === session.value?.user ? ['This one, too: you sign in again afterwards.'] : []),
      'API keys go on working; revoke them where they may be in wrong hands.',
    ],
    action: 'Sign out everywhere',
    danger: true,
    run: () => api.delete(path`/v1/users/${user}/sessions`),
    done: `${user} is signed out everywhere`,
  });
}

export function SessionsCard({ user }: { user: string }) {
  const sessions = usePages<UserSession>(path`/v1/users/${user}/sessions`);
  return (
    <Card
      title="Sessions in browsers"
      flush
      actions={
        !!sessions.items?.length && (
          <Button icon="out" onClick={() => signOutEverywhere(user)}>
            Sign out everywhere
          </Button>
        )
      }
    >
      <PagedTable
        caption={`Sessions of ${user}`}
        pages={sessions}
        id={(s) => s.id}
        empty={<Empty icon="out" title={`${user} is not signed in in any browser`} />}
        columns={[
          {
            head: 'From',
            kind: 'main',
            cell: (s) => (
              <>
                {s.address} {s.id === session.value?.id && <Badge tone="info">this one</Badge>}
              </>
            ),
          },
          { head: 'Opened by', cell: (s) => (s.api_key ? 'API key' : 'password') },
          { head: 'Opened', cell: (s) => <Time at={s.created} /> },
          { head: 'Last used', cell: (s) => <Time at={s.last_used} style="ago" /> },
          { head: 'Ends', cell: (s) => <Time at={s.expires} style="ago" /> },
          {
            head: 'Actions',
            kind: 'actions',
            cell: (s) => (
              <Button kind="quiet" title={`End the session from ${s.address}`} onClick={() => endSession(user, s)}>
                End
              </Button>
            ),
          },
        ]}
      />
    </Card>
  );
}
