// SPDX-License-Identifier: Apache-2.0
// One service account: its keys, its roles, what its machine needs.
import { useRef, useState } from 'preact/hooks';
import { api, path } from '../api/client';
import { isAdministrator, readsAll, session } from '../api/session';
import type { AccountKey, ServiceAccount } from '../api/types';
import type { PageProps } from '../app/page';
import { href, navigate } from '../app/router';
import { plural } from '../lib/text';
import { fromInput, toInput } from '../lib/time';
import { Badge, Button, Card, Code, Empty, Facts, LinkButton, Loading, PageHead, Problem, Time } from '../ui/basic';
import { confirmAction, Dialog, openDialog } from '../ui/dialog';
import { Form, TextField, useForm } from '../ui/form';
import { KeySource, noKeySource, SaveKey, sourceKey, type MadePair, type SourcedKey } from '../ui/key_source';
import { useQuery } from '../ui/query';
import { useSeen } from '../ui/seen';
import { RolesCard } from '../ui/roles';
import { Table } from '../ui/table';
import { Tabs } from '../ui/tabs';
import { toast } from '../ui/toast';
import { AccountState } from './accounts';
import { ClientSetUp } from './client_setup';

const crumbs: [string, string][] = [['Service accounts', href('/service-accounts')]];

function EditAccount({ of, close }: { of: ServiceAccount; close: () => void }) {
  const form = useForm({ description: of.description, team: of.team ?? '', expires: toInput(of.expires) });
  const { seen, reload } = useSeen(of, path`/v1/service-accounts/${of.name}`);
  return (
    <Dialog title={`Change ${of.name}`} onClose={close}>
      <Form
        form={form}
        submit="Save"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          const body = {
            description: v.description,
            team: v.team.trim(),
            // As it was, to the second, unless it was changed here.
            ...(v.expires === toInput(of.expires) ? {} : { expires: fromInput(v.expires) ?? '' }),
          };
          await api.patch(path`/v1/service-accounts/${of.name}`, body, { revision: seen.revision });
          close();
          toast(`${of.name} is changed`);
        }}
      >
        <TextField form={form} name="description" label="Description" maxLength={255} autofocus />
        <TextField
          form={form}
          name="team"
          label="Owning team"
          machine
          maxLength={63}
          help="Members of this team may add and revoke its keys. Empty: none."
        />
        <TextField
          form={form}
          name="expires"
          label="Expires"
          type="datetime-local"
          help="In your local time. Empty: never. Afterwards it signs nothing."
        />
      </Form>
    </Dialog>
  );
}

function AddKey({ of, close }: { of: ServiceAccount; close: () => void }) {
  const form = useForm({ expires: '', ...noKeySource });
  const pair = useRef<MadePair | null>(null);
  const [made, setMade] = useState<SourcedKey | null>(null);
  const [saved, setSaved] = useState(false);
  const file = `${of.name}-${new Date().toISOString().slice(0, 10)}.key`;
  if (made?.privateKey)
    return (
      <Dialog title={`${of.name} has a new key`} onClose={close}>
        <SaveKey name={file} privateKey={made.privateKey} saved={saved} onSaved={() => setSaved(true)} />
        <p>
          On the signing machine put it beside <code>client.conf</code>, mode 600, and name it there:{' '}
          <code>key = {file}</code>. Then revoke the old key here.
        </p>
        <div class="form-end">
          <Button onClick={close} disabled={!saved}>
            Done
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={`Add a key to ${of.name}`} onClose={close}>
      <Form
        form={form}
        submit="Add the key"
        onCancel={close}
        onSubmit={async (v) => {
          const key = await sourceKey(form, pair);
          if (!key) return;
          const body = { public_key: key.publicKey, ...(v.expires ? { expires: fromInput(v.expires) } : {}) };
          await api.create<AccountKey>(path`/v1/service-accounts/${of.name}/keys`, body, form.once);
          toast(`${of.name} has one more key`);
          if (key.privateKey) setMade(key);
          else close();
        }}
      >
        <KeySource form={form} />
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

function revokeKey(account: ServiceAccount, key: AccountKey) {
  confirmAction({
    title: `Revoke key ${key.id} of ${account.name}?`,
    consequences: [
      'The very next request made with this key is refused, and so is a signature.',
      ...(account.keys.length === 1 ? [`It is the only key: ${account.name} signs nothing until it has another.`] : []),
      'It cannot be brought back; another key can be added.',
    ],
    action: 'Revoke the key',
    danger: true,
    run: () => api.delete(path`/v1/service-accounts/${account.name}/keys/${key.id}`),
    done: `Key ${key.id} of ${account.name} is revoked`,
  });
}

function Keys({ of: account, reload }: { of: ServiceAccount; reload: () => void }) {
  // Members of the owning team manage its keys, too: the server judges.
  const mayManage = isAdministrator.value || (!!account.team && session.value?.role === 'user');
  return (
    <Card
      title="Keys"
      flush
      actions={
        mayManage && (
          <Button
            icon="plus"
            onClick={() => openDialog((close) => <AddKey of={account} close={() => (close(), reload())} />)}
          >
            Add a key
          </Button>
        )
      }
    >
      {account.keys.length === 0 ? (
        <Empty icon="key" title={`${account.name} has no key, so nothing can sign as it`}>
          Add one: several at once are allowed, for a change without a gap.
        </Empty>
      ) : (
        <Table
          caption={`Keys of ${account.name}`}
          rows={account.keys}
          id={(k) => k.id}
          columns={[
            { head: 'Key', kind: 'main', cell: (k) => <Code text={k.id} label="id of the key" /> },
            { head: 'Algorithm', cell: (k) => k.algorithm },
            { head: 'Registered', cell: (k) => <Time at={k.created} style="date" /> },
            { head: 'Last used', cell: (k) => <Time at={k.last_used} style="ago" none="never" /> },
            { head: 'Expires', cell: (k) => <ExpiryOf at={k.expires} /> },
            ...(mayManage
              ? [
                  {
                    head: 'Actions',
                    kind: 'actions' as const,
                    cell: (k: AccountKey) => (
                      <Button kind="quiet" title={`Revoke key ${k.id}`} onClick={() => revokeKey(account, k)}>
                        Revoke
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
    </Card>
  );
}

export function ExpiryOf({ at }: { at: string | null }) {
  if (at && Date.parse(at) <= Date.now())
    return (
      <Badge tone="warn">
        expired <Time at={at} style="ago" />
      </Badge>
    );
  return <Time at={at} style="date" none="never" />;
}

function switchState(of: ServiceAccount) {
  const isActive = of.state === 'active';
  confirmAction({
    title: isActive ? `Disable ${of.name}?` : `Enable ${of.name}?`,
    consequences: isActive
      ? [
          `The very next signature of ${of.name} is refused, also with tokens it has already.`,
          'Its keys and roles stay.',
        ]
      : [`${of.name} can sign again wherever it has the role.`],
    action: isActive ? 'Disable' : 'Enable',
    danger: isActive,
    run: () =>
      api.post(
        isActive ? path`/v1/service-accounts/${of.name}/disable` : path`/v1/service-accounts/${of.name}/enable`,
        {},
        { revision: of.revision },
      ),
    done: `${of.name} is ${isActive ? 'disabled' : 'enabled'}`,
  });
}

function remove(of: ServiceAccount) {
  confirmAction({
    title: `Remove ${of.name}?`,
    consequences: [
      'The very next signature is refused.',
      `Its ${plural(of.keys.length, 'key')}, tokens and roles are gone; the name is never given again.`,
      'What it signed stays on record.',
    ],
    action: 'Remove the account',
    danger: true,
    typeName: of.name,
    run: async () => {
      await api.delete(path`/v1/service-accounts/${of.name}`, { revision: of.revision });
      navigate(href('/service-accounts'));
    },
    done: `${of.name} is removed`,
  });
}

export function Account({ params }: PageProps) {
  const { data: account, error, reload } = useQuery<ServiceAccount>(path`/v1/service-accounts/${params.account!}`);
  if (!account)
    return (
      <>
        <PageHead title={params.account} crumbs={crumbs} />
        {error ? <Problem error={error} retry={reload} /> : <Loading label="Service account" />}
      </>
    );
  return (
    <>
      <PageHead title={account.name} crumbs={crumbs} badge={<AccountState of={account} />} lead={account.description}>
        {readsAll.value && (
          <LinkButton icon="audit" to={href('/audit', { principal: account.name })}>
            Records
          </LinkButton>
        )}
        {isAdministrator.value && (
          <>
            <Button onClick={() => openDialog((close) => <EditAccount of={account} close={close} />)}>Change</Button>
            <Button onClick={() => switchState(account)}>{account.state === 'active' ? 'Disable' : 'Enable'}</Button>
            <Button kind="danger" onClick={() => remove(account)}>
              Remove
            </Button>
          </>
        )}
      </PageHead>
      {!!error && <Problem error={error} retry={reload} />}
      <Tabs
        label={`Parts of ${account.name}`}
        tabs={[
          {
            id: 'keys',
            label: 'Keys',
            count: account.keys.length,
            view: () => (
              <>
                <Keys of={account} reload={reload} />
                <Card title="About it">
                  <Facts
                    rows={[
                      ['Owning team', account.team && <a href={href('/teams', account.team)}>{account.team}</a>],
                      ['Expires', <ExpiryOf at={account.expires} />],
                      ['Created', <Time at={account.created} />],
                      ['Id', <Code text={account.id} label="id of the account" />],
                    ]}
                  />
                </Card>
              </>
            ),
          },
          {
            id: 'roles',
            label: 'Roles',
            view: () => <RolesCard of={account.name} path={path`/v1/service-accounts/${account.name}/roles`} byTeam />,
          },
          { id: 'set-up', label: 'Client set-up', view: () => <ClientSetUp account={account} /> },
        ]}
      />
    </>
  );
}
