// SPDX-License-Identifier: Apache-2.0
// From an empty server to the first signature, step by step. Each step is tested against the server and names what is wrong.
// What was done is known by asking the server again, so the page can be left at any time and gone on with.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, path, readReady, withQuery } from '../api/client';
import { isAdministrator } from '../api/session';
import { plainWords } from '../api/problem';
import type {
  AuditRecord,
  Authority,
  Explanation,
  Hsm,
  Key,
  KeyType,
  Page,
  Project,
  Ready,
  ServiceAccount,
} from '../api/types';
import { href } from '../app/router';
import { keyFile } from '../lib/client_setup';
import { certificateOf } from '../lib/der';
import { keyName, keyTypes, leafOf } from '../lib/keys';
import { ruleTitle } from '../lib/rules';
import { download, nameOf } from '../lib/text';
import { Badge, Button, Card, Empty, Loading, Note, PageHead, Time } from '../ui/basic';
import { AuthorityChain, authorityFault, certificatesOf } from '../ui/authority';
import { Form, SelectField, TextField, useForm } from '../ui/form';
import { NameField } from '../ui/name_field';
import { Icon } from '../ui/icons';
import { KeySource, SaveKey, noKeySource, sourceKey, type MadePair } from '../ui/key_source';
import { useQuery, type Loaded } from '../ui/query';
import { ClientFiles, ClientTools } from './client_setup';

// ---- what was chosen: names only, kept in this browser

interface Chosen {
  project?: string;
  label?: string;
  account?: string;
}
const stored = 'chancery.setup';

function readChosen(): Chosen {
  try {
    return JSON.parse(localStorage.getItem(stored) ?? '{}') as Chosen;
  } catch {
    return {};
  }
}

// ---- a step

type State = 'testing' | 'todo' | 'failed' | 'done' | 'waiting';
const badges: Record<State, [tone: 'good' | 'bad' | 'info' | 'neutral', text: string]> = {
  testing: ['neutral', 'Testing'],
  todo: ['info', 'To do'],
  failed: ['bad', 'Failed'],
  done: ['good', 'Done'],
  waiting: ['neutral', 'Later'],
};

interface StepProps {
  number: number;
  title: string;
  state: State;
  /** What is wrong, by name. */
  fault?: string | null;
  retest: () => void;
  summary?: ComponentChildren;
  children?: ComponentChildren;
  /** Starts open also when it is done. */
  isOpen?: boolean;
}

function Step({ number, title, state, fault, retest, summary, children, isOpen }: StepProps) {
  const [opened, setOpened] = useState(false);
  const [tone, text] = badges[state];
  const shows = state === 'todo' || state === 'failed' || isOpen || opened;
  return (
    <li tabIndex={-1} data-step={number}>
      <Card
        title={
          <>
            <span class="step-number" aria-hidden="true">
              {state === 'done' ? <Icon name="check" /> : number}
            </span>
            <span class="hidden">Step {number}: </span>
            {title}
          </>
        }
        actions={
          <>
            <Badge tone={tone}>{text}</Badge>
            {state === 'done' && !isOpen && children && (
              <Button kind="quiet" onClick={() => setOpened(!opened)}>
                {opened ? 'Hide' : 'Show'}
              </Button>
            )}
            {state === 'failed' && (
              <Button icon="reload" onClick={retest}>
                Test again
              </Button>
            )}
          </>
        }
      >
        {state === 'failed' && <Note tone="bad" title={fault ?? 'The test failed'} />}
        {state === 'testing' && <Loading lines={1} label="Testing" />}
        {state === 'done' && summary && <p>{summary}</p>}
        {state === 'waiting' && <p class="muted">After the steps before.</p>}
        {shows && state !== 'testing' && children}
      </Card>
    </li>
  );
}

/** `fault` judges what was read: null is well. */
function stateOf<T>(
  isReady: boolean,
  isChosen: boolean,
  of: Loaded<T>,
  fault: (data: T) => string | null,
): { state: State; fault: string | null } {
  if (!isReady) return { state: 'waiting', fault: null };
  if (!isChosen) return { state: 'todo', fault: null };
  if (of.data === undefined)
    return of.error ? { state: 'failed', fault: plainWords(of.error).text } : { state: 'testing', fault: null };
  const found = fault(of.data);
  return found ? { state: 'failed', fault: found } : { state: 'done', fault: null };
}

// ---- 1 HSM, 2 CA

function hsmFault(ready: Ready, hsms: Page<Hsm>): string | null {
  if (ready.checks.store !== 'ok') return `The store does not answer (${ready.checks.store})`;
  const answering = hsms.items.filter((h) => h.state === 'available');
  if (answering.length === 0) {
    const first = hsms.items[0];
    return first
      ? `The HSM ${first.name} does not answer: ${first.reason ?? ready.checks.hsm}`
      : 'The server has no HSM';
  }
  return answering.some((h) => h.key_types.length > 0)
    ? null
    : `The HSM ${answering[0]!.name} can make no key that is used here`;
}

// ---- 3 project, 4 key

function ProjectForm({ chosen, onMade }: { chosen: Chosen; onMade: (name: string) => void }) {
  const there = useQuery<Page<Project>>(withQuery('/v1/projects', { limit: 20 }));
  const form = useForm({ name: chosen.project ?? '', description: '' });
  const known = there.data?.items ?? [];
  return (
    <>
      {known.length > 0 && (
        <p class="actions">
          Use one that is there:{' '}
          {known.map((p) => (
            <Button key={p.id} onClick={() => onMade(p.name)}>
              {p.name}
            </Button>
          ))}
        </p>
      )}
      <Form
        form={form}
        submit="Create the project"
        onSubmit={async (v) => {
          const body = { name: v.name.trim(), description: v.description.trim() };
          const made = await api.create<Project>('/v1/projects', body, form.once);
          onMade(made.name);
        }}
      >
        <NameField form={form} label="Name of the project" help="Such as that of a product." autofocus={false} />
        <TextField form={form} name="description" label="Description" maxLength={255} />
      </Form>
    </>
  );
}

function KeyForm({ project, types, onMade }: { project: string; types: KeyType[]; onMade: (label: string) => void }) {
  const there = useQuery<Page<Key>>(withQuery('/v1/keys', { project, state: 'active', limit: 20 }));
  const known = (there.data?.items ?? []).filter((k) => k.certificates.length > 0);
  const choices = keyTypes.filter((t) => types.includes(t));
  const form = useForm({
    label: 'release',
    type: choices.includes('rsa3072') ? 'rsa3072' : (choices[0] ?? 'p256'),
    subject: '',
  });
  return (
    <>
      {known.length > 0 && (
        <p class="actions">
          Use one that is there:{' '}
          {known.map((k) => (
            <Button key={k.id} onClick={() => onMade(k.label)}>
              {k.label}
            </Button>
          ))}
        </p>
      )}
      <Form
        form={form}
        submit="Make the key in the HSM"
        onSubmit={async (v) => {
          const body = {
            label: v.label.trim(),
            type: v.type,
            certificate: { issuer: 'builtin', ...(v.subject.trim() ? { subject: v.subject.trim() } : {}) },
          };
          const made = await api.create<Key>(path`/v1/projects/${project}/keys`, body, form.once);
          onMade(made.label);
        }}
      >
        <div class="fields">
          <TextField
            form={form}
            name="label"
            label="Label of the key"
            required
            machine
            maxLength={63}
            help={`Tools see it as ${project}-${form.values.label.trim() || '…'}.`}
          />
          <SelectField
            form={form}
            name="type"
            label="Type"
            required
            choices={choices.map((t) => [t, nameOf(t)])}
            help="RSA 3072 is understood everywhere; P-256 is faster."
          />
        </div>
        <TextField
          form={form}
          name="subject"
          label="Subject of its certificate"
          maxLength={255}
          placeholder="CN=Example Ltd,O=Example Ltd,C=DE"
          help="Who signs, as users will see it. Empty: the name of the key."
        />
      </Form>
    </>
  );
}

function keyFault(key: Key, ca: Authority | undefined): string | null {
  const name = keyName(key);
  if (key.state !== 'active')
    return `The key ${name} is ${key.state}${key.disabled_reason ? `: ${key.disabled_reason}` : ''}`;
  if (!key.hsm) return `The attributes of ${name} were not read back from the HSM`;
  if (key.hsm.extractable || !key.hsm.sensitive) return `The private key of ${name} could leave the HSM`;
  const leaf = leafOf(key);
  if (!leaf) return `The key ${name} has no certificate`;
  if (leaf.notAfter <= new Date()) return `The certificate of ${name} has expired`;
  const issuing = ca && certificateOf(certificatesOf(ca)[0] ?? '');
  return issuing && leaf.issuer !== issuing.subject ? `The certificate of ${name} is not by the built-in CA` : null;
}

// ---- 5 account, 6 signer

interface AccountMade {
  name: string;
  privateKey: string | null;
}

function AccountForm({ onMade }: { onMade: (made: AccountMade) => void }) {
  const there = useQuery<Page<ServiceAccount>>(withQuery('/v1/service-accounts', { limit: 20, state: 'active' }));
  const form = useForm({ name: 'build-1', ...noKeySource });
  const pair = useRef<MadePair | null>(null);
  const known = there.data?.items ?? [];
  return (
    <>
      {known.length > 0 && (
        <p class="actions">
          Use one that is there:{' '}
          {known.map((a) => (
            <Button key={a.id} onClick={() => onMade({ name: a.name, privateKey: null })}>
              {a.name}
            </Button>
          ))}
        </p>
      )}
      <Form
        form={form}
        submit="Register the account"
        onSubmit={async (v) => {
          const key = await sourceKey(form, pair);
          if (!key) return;
          const body = { name: v.name.trim(), public_key: key.publicKey };
          const made = await api.create<ServiceAccount>('/v1/service-accounts', body, form.once);
          onMade({ name: made.name, privateKey: key.privateKey });
        }}
      >
        <NameField
          form={form}
          label="Name of the account"
          help="Such as the machine or the pipeline that signs."
          autofocus={false}
        />
        <KeySource form={form} />
      </Form>
    </>
  );
}

function accountFault(a: ServiceAccount): string | null {
  if (a.state !== 'active') return `The account ${a.name} is disabled`;
  if (a.expires && Date.parse(a.expires) <= Date.now()) return `The account ${a.name} has expired`;
  return a.keys.length ? null : `The account ${a.name} has no key`;
}

function accessFault(e: Explanation): string | null {
  // Whence and with which context the machine will ask is not known here.
  const refusing = e.steps.filter((s) => s.verdict === 'refuses');
  return e.allowed
    ? null
    : refusing.map((s) => `${ruleTitle(s.rule)}: ${s.reason ?? s.code}`).join('; ') || 'It is refused';
}

function SignerStep({ project, account, isNotSigner }: { project: string; account: string; isNotSigner: boolean }) {
  const form = useForm({});
  if (!isNotSigner)
    return (
      <p>
        Something else stands in the way: see <a href={href('/explain', { principal: account })}>each rule</a>, or the{' '}
        <a href={href('/projects', project, 'policy')}>policy</a>.
      </p>
    );
  return (
    <Form
      form={form}
      submit={`Make ${account} a signer of ${project}`}
      onSubmit={() => api.post(path`/v1/projects/${project}/members`, { principal: account, role: 'signer' })}
    >
      <p class="muted">
        A signer may sign with all keys of the project, as its policy allows. Who administers it signs nothing by that
        alone.
      </p>
    </Form>
  );
}

// ---- 7 the signing machine

function ClientStep({
  account,
  signingKey,
  privateKey,
}: {
  account: ServiceAccount;
  signingKey: Key;
  privateKey: string | null;
}) {
  const [saved, setSaved] = useState(false);
  return (
    <div class="stack">
      {privateKey && (
        <SaveKey name={keyFile(account.name)} privateKey={privateKey} saved={saved} onSaved={() => setSaved(true)} />
      )}
      <h3>Set the machine up</h3>
      <p>The machine needs the packages of Chancery’s client.</p>
      <ClientFiles account={account} />
      <h3>Sign something</h3>
      <ClientTools account={account} only={signingKey} first="osslsigncode" />
    </div>
  );
}

// ---- the page

function SetupSteps() {
  const [chosen, setChosen] = useState<Chosen>(readChosen);
  const [made, setMade] = useState<AccountMade | null>(null);
  const choose = (changed: Chosen) => {
    const next = { ...chosen, ...changed };
    localStorage.setItem(stored, JSON.stringify(next));
    setChosen(next);
  };
  const restart = () => {
    localStorage.removeItem(stored);
    setMade(null);
    setChosen({});
  };

  const ready = useQuery<Ready>('/readyz', { read: readReady });
  const hsms = useQuery<Page<Hsm>>('/v1/hsms');
  const both: Loaded<[Ready, Page<Hsm>]> = {
    data: ready.data && hsms.data && [ready.data, hsms.data],
    error: ready.error ?? hsms.error,
    loading: ready.loading || hsms.loading,
    reload: () => {
      ready.reload();
      hsms.reload();
    },
  };
  const hsm = stateOf(true, true, both, ([r, h]) => hsmFault(r, h));
  const answering = hsms.data?.items.find((h) => h.state === 'available');

  const ca = useQuery<Authority>('/v1/ca');
  const authority = stateOf(hsm.state === 'done', true, ca, (a) => authorityFault(a));

  const project = useQuery<Project>(chosen.project ? path`/v1/projects/${chosen.project}` : null);
  const first = stateOf(authority.state === 'done', !!chosen.project, project, () => null);

  const key = useQuery<Key>(
    first.state === 'done' && chosen.label ? path`/v1/keys/${`${chosen.project}:${chosen.label}`}` : null,
  );
  const second = stateOf(first.state === 'done', !!chosen.label, key, (k) => keyFault(k, ca.data));

  const account = useQuery<ServiceAccount>(chosen.account ? path`/v1/service-accounts/${chosen.account}` : null);
  const third = stateOf(second.state === 'done', !!chosen.account, account, accountFault);

  const question = key.data && {
    principal: chosen.account!,
    key: key.data.id,
    mechanism: key.data.mechanisms[0],
    ...(key.data.mechanisms[0] === 'eddsa' ? {} : { hash: key.data.hashes[0] }),
  };
  const access = useQuery<Explanation>(third.state === 'done' ? `explain ${JSON.stringify(question)}` : null, {
    read: (_, signal) => api.ask<Explanation>('/v1/access/explain', question, { signal }),
  });
  const isNotSigner = !!access.data?.steps.some((s) => s.rule === 'role' && s.verdict === 'refuses');
  const fourth = stateOf(third.state === 'done', true, access, accessFault);
  if (fourth.state === 'failed' && isNotSigner) fourth.state = 'todo';

  const signed = useQuery<Page<AuditRecord>>(
    fourth.state === 'done'
      ? withQuery('/v1/audit', {
          key: key.data!.id,
          principal: account.data!.id,
          type: 'signature.outcome',
          order: 'newest',
          limit: 1,
        })
      : null,
    { every: 3000 },
  );
  const newest = signed.data?.items[0];
  const isSigned = newest?.outcome === 'success';
  const states = [hsm, authority, first, second, third, fourth].map((s) => s.state);
  const current = states.findIndex((s) => s !== 'done') + 1 || states.length + 1;
  const before = useRef(current);
  // The form of a step that is done goes away with the focus in it: on to the next step.
  useEffect(() => {
    const isForward = current > before.current;
    before.current = current;
    if (isForward && document.activeElement === document.body)
      document.querySelector<HTMLElement>(`[data-step="${current}"]`)?.focus();
  }, [current]);
  const done = states.filter((s) => s === 'done').length + (isSigned ? 1 : 0);

  return (
    <>
      <PageHead
        title="Set-up"
        lead="From an empty server to the first signature. Leave whenever you like: what is done is remembered by the server, and each step is tested again when you come back."
      >
        {(chosen.project || chosen.account) && (
          <Button icon="reload" onClick={restart}>
            Begin anew with another project
          </Button>
        )}
      </PageHead>
      <p role="status" class="muted">
        {done} of 7 steps are done.
      </p>
      <ol class="setup">
        <Step
          number={1}
          title="The HSM answers"
          {...hsm}
          retest={both.reload}
          summary={
            answering && (
              <>
                <a href={href('/hsms', answering.name)}>{answering.name}</a>: token {answering.token},{' '}
                {answering.manufacturer} {answering.model}
                {answering.notice && <> ({answering.notice})</>}
              </>
            )
          }
        >
          <p>
            Look at the server’s log. The options <code>hsm_module</code>, <code>hsm_token</code> and{' '}
            <code>hsm_pin_file</code> of chanceryd.conf say which token is used.
          </p>
        </Step>
        <Step
          number={2}
          title="The CA certifies keys"
          {...authority}
          retest={ca.reload}
          summary={
            ca.data && (
              <>
                {certificateOf(certificatesOf(ca.data)[1] ?? '')?.subject}. Whoever accepts your signatures needs this
                root.{' '}
                <Button
                  icon="download"
                  onClick={() => download('code-signing-ca-root.pem', ca.data!.root, 'application/x-pem-file')}
                >
                  Save the root
                </Button>
              </>
            )
          }
        >
          {ca.data && <AuthorityChain of={ca.data} />}
        </Step>
        <Step
          number={3}
          title="A project"
          {...first}
          retest={project.reload}
          summary={
            <>
              <a href={href('/projects', chosen.project ?? '')}>{chosen.project}</a>
            </>
          }
        >
          {first.state === 'done' ? null : (
            <ProjectForm chosen={chosen} onMade={(name) => choose({ project: name, label: undefined })} />
          )}
        </Step>
        <Step
          number={4}
          title="A signing key"
          {...second}
          retest={key.reload}
          summary={
            key.data && (
              <>
                <a href={href('/keys', keyName(key.data))}>{keyName(key.data)}</a>, {nameOf(key.data.type)}, in{' '}
                {key.data.hsm_name}; its private key cannot leave the HSM. Its certificate ends{' '}
                <Time at={leafOf(key.data)?.notAfter} style="ago" />.
              </>
            )
          }
        >
          {second.state === 'done' || !chosen.project ? null : (
            <KeyForm
              project={chosen.project}
              types={answering?.key_types ?? []}
              onMade={(label) => choose({ label })}
            />
          )}
        </Step>
        <Step
          number={5}
          title="A service account for the signing machine"
          {...third}
          retest={account.reload}
          summary={
            account.data && (
              <>
                {account.data.name}, with{' '}
                {account.data.keys.length === 1 ? 'one key' : `${account.data.keys.length} keys`}
              </>
            )
          }
        >
          {third.state === 'done' ? null : (
            <AccountForm
              onMade={(m) => {
                setMade(m);
                choose({ account: m.name });
              }}
            />
          )}
        </Step>
        <Step
          number={6}
          title="The account may sign"
          {...fourth}
          retest={access.reload}
          summary={
            <>
              {chosen.account} may sign with {chosen.project}:{chosen.label}. Each rule says so:{' '}
              <a href={href('/explain', { principal: chosen.account, key: `${chosen.project}:${chosen.label}` })}>
                see them
              </a>
              .
            </>
          }
        >
          {fourth.state === 'done' || !chosen.project || !chosen.account ? null : (
            <SignerStep project={chosen.project} account={chosen.account} isNotSigner={isNotSigner} />
          )}
        </Step>
        <Step
          number={7}
          title="The machine signs"
          state={fourth.state !== 'done' ? 'waiting' : isSigned ? 'done' : newest ? 'failed' : 'todo'}
          fault={newest && `The last try was ${newest.outcome}: ${newest.reason ?? ''}`}
          retest={signed.reload}
          isOpen={fourth.state === 'done'}
        >
          {isSigned ? (
            <Note tone="good" title="It has signed">
              {newest!.principal} signed with {newest!.key} <Time at={newest!.time} style="ago" />:{' '}
              <a href={href('/audit', String(newest!.seq))}>record No. {newest!.seq}</a>.
            </Note>
          ) : (
            fourth.state === 'done' &&
            !newest && (
              <p class="waiting" role="status">
                <span class="spinner" aria-hidden="true" /> Waiting for the first signature…
              </p>
            )
          )}
          {key.data && account.data && (
            <ClientStep
              account={account.data}
              signingKey={key.data}
              privateKey={made?.name === account.data.name ? made.privateKey : null}
            />
          )}
        </Step>
      </ol>
    </>
  );
}

export function Setup() {
  if (isAdministrator.value) return <SetupSteps />;
  return (
    <>
      <PageHead title="Set-up" />
      <Card>
        <Empty icon="settings" title="Administrators set the server up" />
      </Card>
    </>
  );
}
