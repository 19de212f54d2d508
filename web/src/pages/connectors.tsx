// SPDX-License-Identifier: Apache-2.0
// Connectors, the ways to get certificates: a list, one of them with its test, and the form of their settings.
import { useState } from 'preact/hooks';
import { api, path } from '../api/client';
import { isAdministrator } from '../api/session';
import type { Connector, ConnectorSettings, ConnectorType, Job } from '../api/types';
import type { PageProps } from '../app/page';
import { href, navigate } from '../app/router';
import {
  connectorTypes,
  requiredOf,
  settingHelp,
  settingLabels,
  settingNames,
  settingsOf,
  typeHelp,
  type SettingName,
} from '../lib/connectors';
import { capital } from '../lib/text';
import { Badge, Button, Card, Code, Facts, Grid, Loading, PageHead, Problem, Time } from '../ui/basic';
import { Dialog, confirmAction, openDialog } from '../ui/dialog';
import { CheckField, Form, SelectField, TextField, useForm, type FormState } from '../ui/form';
import { NameField } from '../ui/name_field';
import { JobResult, isOver } from '../ui/job';
import { ListPage } from '../ui/list_page';
import { useQuery } from '../ui/query';
import { useSeen } from '../ui/seen';
import { toast } from '../ui/toast';

// ---- settings

type SettingValues = Record<Exclude<SettingName, 'implicit_confirm'>, string> & { implicit_confirm: boolean };

function valuesOf(settings: ConnectorSettings): SettingValues {
  const texts = settingNames.map((name) => [name, String(settings[name] ?? '')]);
  return { ...Object.fromEntries(texts), implicit_confirm: settings.implicit_confirm === true } as SettingValues;
}

/** What is empty is left out: the server refuses settings that a type does not have. */
function settingsFrom(type: ConnectorType, v: SettingValues): ConnectorSettings {
  const settings: ConnectorSettings = {};
  for (const name of settingsOf[type]) {
    if (name === 'implicit_confirm') {
      if (v.implicit_confirm) settings[name] = true;
    } else if (v[name].trim())
      settings[name] = name === 'days' || name === 'timeout_s' ? Number(v[name]) : v[name].trim();
  }
  return settings;
}

function SettingFields<V extends SettingValues>({ form: given, type }: { form: FormState<V>; type: ConnectorType }) {
  const form = given as unknown as FormState<SettingValues>;
  return (
    <>
      {settingsOf[type].map((name) => {
        const common = { label: settingLabels[name], help: settingHelp[type][name] };
        if (name === 'implicit_confirm') return <CheckField key={name} form={form} name={name} {...common} />;
        if (name === 'request')
          return (
            <SelectField
              key={name}
              form={form}
              name={name}
              {...common}
              none="ir, as usual"
              choices={[
                ['cr', 'cr'],
                ['p10cr', 'p10cr: with a PKCS #10 request'],
              ]}
            />
          );
        const isNumber = name === 'days' || name === 'timeout_s';
        return (
          <TextField
            key={name}
            form={form}
            name={name}
            {...common}
            required={requiredOf[type].includes(name)}
            {...(isNumber ? { type: 'number' as const, min: 1 } : { machine: true })}
          />
        );
      })}
    </>
  );
}

function NewConnector({ close }: { close: () => void }) {
  const form = useForm({ name: '', type: 'est' as string, ...valuesOf({}) });
  const type = form.values.type as ConnectorType;
  return (
    <Dialog title="New connector" onClose={close}>
      <Form
        form={form}
        submit="Make the connector"
        onCancel={close}
        onSubmit={async (v) => {
          const body = { name: v.name.trim(), type, settings: settingsFrom(type, v) };
          const made = await api.create<Connector>('/v1/connectors', body, form.once);
          close();
          toast(`Connector ${made.name} is made`);
          navigate(href('/connectors', made.name));
        }}
      >
        <NameField form={form} />
        <SelectField
          form={form}
          name="type"
          label="Type"
          required
          choices={(['est', 'cmp', 'manual', 'builtin'] as const).map((t) => [t, connectorTypes[t]])}
          help={typeHelp[type]}
        />
        <SettingFields form={form} type={type} />
      </Form>
    </Dialog>
  );
}

function EditConnector({ of, close }: { of: Connector; close: () => void }) {
  const form = useForm(valuesOf(of.settings));
  const { seen, reload } = useSeen(of, path`/v1/connectors/${of.id}`);
  return (
    <Dialog title={`Change ${of.name}`} onClose={close}>
      <Form
        form={form}
        submit="Save"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          await api.patch(
            path`/v1/connectors/${of.id}`,
            { settings: settingsFrom(of.type, v) },
            { revision: seen.revision },
          );
          close();
          toast(`${of.name} is changed`);
        }}
      >
        <SettingFields form={form} type={of.type} />
      </Form>
    </Dialog>
  );
}

function remove(of: Connector) {
  confirmAction({
    title: `Remove the connector ${of.name}?`,
    consequences: [
      'No key can get certificates by it any more. A connector that a key has is not removed.',
      'Certificates that came by it stay as they are.',
    ],
    action: 'Remove the connector',
    danger: true,
    typeName: of.name,
    run: async () => {
      await api.delete(path`/v1/connectors/${of.id}`, { revision: of.revision });
      navigate(href('/connectors'));
    },
    done: `${of.name} is removed`,
  });
}

// ---- pages

const abilities: Record<Connector['capabilities'][number], string> = {
  enroll: 'certificates',
  renew: 'renewal',
  revoke: 'revocation',
  test: 'test',
};
const words = (list: Connector['capabilities']) =>
  list.length === 0 ? (
    <span class="muted">by hand</span>
  ) : (
    <ul class="words">
      {list.map((c) => (
        <li key={c}>{abilities[c]}</li>
      ))}
    </ul>
  );

export function Connectors() {
  return (
    <ListPage<Connector>
      title="Connectors"
      lead="The ways to get certificates for keys that stay in the HSM."
      noun="connector"
      path="/v1/connectors"
      filters={[
        { name: 'name', label: 'Name begins with' },
        { name: 'type', label: 'Type', choices: Object.entries(connectorTypes) },
      ]}
      create={{ label: 'New connector', dialog: (close) => <NewConnector close={close} /> }}
      id={(c) => c.id}
      name={(c) => c.name}
      columns={[
        { head: 'Name', kind: 'main', cell: (c) => <a href={href('/connectors', c.name)}>{c.name}</a> },
        { head: 'Type', cell: (c) => connectorTypes[c.type] },
        { head: 'Address', cell: (c) => (c.settings.url ? <code>{String(c.settings.url)}</code> : '') },
        { head: 'Does', cell: (c) => words(c.capabilities) },
        { head: 'Made', cell: (c) => <Time at={c.created} style="date" none="always there" /> },
      ]}
    />
  );
}

function TestCard({ of: connector }: { of: Connector }) {
  const [id, setId] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [over, setOver] = useState(true);
  const job = useQuery<Job>(id && path`/v1/jobs/${id}`, over ? {} : { every: 1000 });
  if (job.data && job.data.id === id && isOver(job.data) !== over) setOver(isOver(job.data));
  const run = async () => {
    setError(null);
    try {
      const made = await api.post<Job>(path`/v1/connectors/${connector.id}/test`);
      setOver(false);
      setId(made.id);
    } catch (e) {
      setError(e);
    }
  };
  return (
    <Card
      title="Test"
      actions={
        isAdministrator.value && (
          <Button icon="check" busy={!!id && !over} onClick={() => void run()}>
            Test now
          </Button>
        )
      }
    >
      {!!error && <Problem error={error} />}
      <div class="stack" aria-live="polite">
        {job.data ? (
          <>
            <JobResult of={job.data} />
            <p class="small">
              <a href={href('/jobs', job.data.id)}>The job</a>
            </p>
          </>
        ) : (
          <p class="muted">Asks the CA whether it can be reached and believed. Nothing is issued.</p>
        )}
      </div>
    </Card>
  );
}

export function ConnectorPage({ params }: PageProps) {
  const found = useQuery<Connector>(path`/v1/connectors/${params.connector!}`);
  const crumbs: [string, string][] = [['Connectors', href('/connectors')]];
  const connector = found.data;
  if (!connector)
    return (
      <>
        <PageHead title={params.connector} crumbs={crumbs} />
        {found.error ? <Problem error={found.error} retry={found.reload} /> : <Loading lines={6} />}
      </>
    );
  const isMade = connector.created !== null;
  const given = settingsOf[connector.type].filter((name) => connector.settings[name] !== undefined);
  return (
    <>
      <PageHead
        title={connector.name}
        crumbs={crumbs}
        badge={<Badge tone="neutral">{connectorTypes[connector.type]}</Badge>}
        lead={typeHelp[connector.type]}
      >
        {isAdministrator.value && isMade && (
          <>
            <Button onClick={() => openDialog((close) => <EditConnector of={connector} close={close} />)}>
              Change
            </Button>
            <Button kind="danger" onClick={() => remove(connector)}>
              Remove
            </Button>
          </>
        )}
      </PageHead>
      {!!found.error && <Problem error={found.error} retry={found.reload} />}
      <Grid>
        <Card title="Settings">
          <Facts
            rows={[
              ...given.map((name): [string, preact.ComponentChildren] => {
                const value = connector.settings[name]!;
                const text = typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
                return [settingLabels[name], typeof value === 'string' ? <code>{text}</code> : text];
              }),
              ['Does', words(connector.capabilities)],
              ['Made', <Time at={connector.created} none="always there" />],
              ['Id', <Code text={connector.id} label="id of the connector" />],
            ]}
          />
        </Card>
        {connector.capabilities.includes('test') ? (
          <TestCard of={connector} />
        ) : (
          <Card title="How it is used">
            <p>
              {capital(
                connector.type === 'manual'
                  ? 'the request is on the page of the key, under Certificate, and the certificate is brought there.'
                  : 'keys get their certificate when they are made, from the CA that is chosen then.',
              )}
            </p>
          </Card>
        )}
      </Grid>
    </>
  );
}
