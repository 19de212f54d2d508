// SPDX-License-Identifier: Apache-2.0
// What can be done with a signing key in its present state, and what each of it means.
import { api, path } from '../api/client';
import { isAdministrator, role } from '../api/session';
import type { Key, KeySources } from '../api/types';
import { keyName } from '../lib/keys';
import { fromNow, utc } from '../lib/time';
import { Button, Note } from '../ui/basic';
import { confirmAction, Dialog, openDialog } from '../ui/dialog';
import { Form, TextField, useForm, type FormState } from '../ui/form';
import { CaField } from '../ui/ca_field';
import { ConnectorField, sourceText } from '../ui/connector_field';
import { DaysField } from '../ui/days_field';
import { certificateSays, type CertificateValues } from '../ui/first_certificate';
import { HsmField } from '../ui/hsm_field';
import { useKeySources } from '../ui/key_sources';
import { useSeen } from '../ui/seen';
import { toast } from '../ui/toast';

const act = (key: Key, action: string, body: object = {}) =>
  api.post<Key>(path`/v1/keys/${key.id}/${action}`, body, { revision: key.revision });

function disable(key: Key) {
  const name = keyName(key);
  confirmAction({
    title: `Disable ${name}?`,
    consequences: [
      'The very next signature with this key is refused, also for clients that are signed in already.',
      'Signatures made so far stay valid, and so does the certificate.',
      'It can be enabled again at any time.',
    ],
    action: 'Disable the key',
    danger: true,
    reason: { label: 'Reason', help: 'Shown to whoever looks at the key; it goes into the audit log.' },
    run: (reason) => act(key, 'disable', reason ? { reason } : {}),
    done: `${name} is disabled`,
  });
}

function enable(key: Key) {
  const name = keyName(key);
  confirmAction({
    title: `Enable ${name}?`,
    consequences: ['Authorized signers can sign with it again, as policy allows.'],
    action: 'Enable the key',
    run: () => act(key, 'enable'),
    done: `${name} is enabled`,
  });
}

function activate(key: Key) {
  const name = keyName(key);
  confirmAction({
    title: `Activate ${name}?`,
    consequences: [
      'The HSM makes the key pair now, and its certificate is issued. A large RSA key takes some seconds.',
    ],
    action: 'Make the key',
    run: () => act(key, 'activate'),
    done: `${name} is active`,
  });
}

function retire(key: Key) {
  const name = keyName(key);
  confirmAction({
    title: `Retire ${name}?`,
    consequences: [
      'Nothing is ever signed with this key again: there is no way back to active.',
      'Signatures made so far stay valid; certificates and records stay.',
      'The private key stays in the HSM until it is destroyed, which is possible after a waiting time.',
    ],
    action: 'Retire the key',
    danger: true,
    typeName: name,
    reason: { label: 'Reason' },
    run: (reason) => act(key, 'retire', reason ? { reason } : {}),
    done: `${name} is retired`,
  });
}

function destroy(key: Key) {
  const name = keyName(key);
  const asked = key.destruction;
  confirmAction({
    title: asked ? `Confirm the destruction of ${name}?` : `Destroy ${name}?`,
    consequences: [
      'All versions of the private key are removed from the HSM. Nobody can bring them back.',
      'Signatures made so far stay valid; certificates and records stay.',
      asked
        ? `${asked.asked_by} asked for it ${fromNow(new Date(asked.asked))}. With your word it is done.`
        : 'Where there are two administrators, another one has to confirm it.',
    ],
    action: asked ? 'Confirm and destroy' : 'Destroy the key',
    danger: true,
    typeName: name,
    run: async () => {
      const after = await act(key, 'destroy');
      if (after.state !== 'destroyed') toast('It is asked for: another administrator has to confirm it');
    },
    done: asked ? `${name} is destroyed` : `The destruction of ${name} was asked for`,
  });
}

// ---- a new certificate, with a new version or for the one there is

const likeBefore: CertificateValues = { connector: '', ca: '', subject: '', days: '' };

/** Name of the connector that the form says, or the key has. */
const sourceOf = (key: Key, v: CertificateValues) => v.connector || (key.connector_name ?? 'builtin');

const certificateBody = (key: Key, v: CertificateValues) => ({
  ...(v.connector ? { connector: v.connector } : {}),
  ...certificateSays(v, sourceOf(key, v)),
});

function CertificateFields<V extends CertificateValues>({
  form: given,
  of: key,
  sources,
  before,
  isAtOnce,
}: {
  form: FormState<V>;
  of: Key;
  sources: KeySources | undefined;
  /** Label of the choice that nothing is changed; without it that is none. */
  before?: string;
  isAtOnce?: boolean;
}) {
  const form = given as unknown as FormState<CertificateValues>;
  const from = sourceOf(key, form.values);
  const isMoved = from !== (key.connector_name ?? 'builtin');
  return (
    <>
      <ConnectorField
        form={form}
        sources={sources}
        before={before}
        isAtOnce={isAtOnce}
        help={isMoved ? 'All certificates of the key come from there from now on.' : undefined}
      />
      {from === 'builtin' && <CaField form={form} none={isMoved ? 'The one made at the start' : 'As before'} />}
      <TextField
        form={form}
        name="subject"
        label="Subject"
        maxLength={255}
        help="As in the certificate before, unless given: CN=…,O=…,C=…"
      />
      {from !== 'manual' && (
        <DaysField form={form} otherwise={isMoved ? 'What the CA gives' : 'As in the certificate before'} />
      )}
    </>
  );
}

function Rotate({ of, close }: { of: Key; close: () => void }) {
  const form = useForm({ grace_hours: '0', hsm: '', ...likeBefore });
  const { seen: key, reload } = useSeen(of, path`/v1/keys/${of.id}`);
  const sources = useKeySources(key.project);
  const grace = Number(form.values.grace_hours) || 0;
  const hasNone = key.connector === null && key.certificates.length === 0;
  return (
    <Dialog title={`Rotate ${keyName(key)}`} onClose={close}>
      <p>
        The HSM makes version {key.version + 1} under the same label, with a new certificate. Clients use it from their
        next signature on; nothing has to be changed on signing machines.
        {sourceOf(key, form.values) !== 'builtin' &&
          ' Its certificate comes by a connector, which takes a while or a person.'}
      </p>
      <Form
        form={form}
        submit={`Make version ${key.version + 1}`}
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          await act(key, 'rotate', {
            grace_hours: Number(v.grace_hours) || 0,
            ...(v.hsm ? { hsm: v.hsm } : {}),
            ...certificateBody(key, v),
          });
          close();
          toast(`${keyName(key)} has version ${key.version + 1}`);
        }}
      >
        <TextField
          form={form}
          name="grace_hours"
          label="Grace for the version before, in hours"
          type="number"
          min={0}
          max={8760}
          required
          help={
            grace > 0
              ? `Version ${key.version} can still be used by who names it, until ${utc(new Date(Date.now() + grace * 3_600_000))}.`
              : `0: version ${key.version} signs nothing from now on.`
          }
        />
        <HsmField form={form} sources={sources} type={key.type} none={`${key.hsm_name}, as before`} />
        <CertificateFields
          form={form}
          of={key}
          sources={sources}
          before={hasNone ? 'As before: none' : `As before: ${sourceText(key.connector_name)}`}
        />
      </Form>
    </Dialog>
  );
}

function Renew({ of, close }: { of: Key; close: () => void }) {
  // What a person brings is asked for by nobody: then another source has to be chosen.
  const isByHand = of.connector_name === 'manual';
  const form = useForm({ ...likeBefore, connector: isByHand ? 'builtin' : '' });
  const { seen: key, reload } = useSeen(of, path`/v1/keys/${of.id}`);
  const sources = useKeySources(key.project);
  const isAtOnce = sourceOf(key, form.values) === 'builtin';
  return (
    <Dialog title={`Renew the certificate of ${keyName(key)}`} onClose={close}>
      <p>
        {isAtOnce
          ? 'A new certificate is issued for the same key pair.'
          : 'A job asks the CA of the connector for a new certificate for the same key pair.'}{' '}
        The one before stays valid until its end and is kept on record.
        {isByHand && ' One that a person gets elsewhere is brought under Certificate, without a renewal.'}
      </p>
      <Form
        form={form}
        submit="Issue a certificate"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          await act(key, 'renew', certificateBody(key, v));
          close();
          toast(`${keyName(key)} ${isAtOnce ? 'has a new certificate' : 'waits for its new certificate'}`);
        }}
      >
        <CertificateFields
          form={form}
          of={key}
          sources={sources}
          before={isByHand ? undefined : `As before: ${sourceText(key.connector_name)}`}
          isAtOnce
        />
      </Form>
    </Dialog>
  );
}

/** A bare key pair has nothing to renew. */
const mayRenew = (key: Key) => key.connector !== null || key.certificates.length > 0;

/** Buttons for the head of a key's page. Owners of the project may do all but destroy; the server judges. */
export function KeyActions({ of: key }: { of: Key }) {
  if (role.value === 'auditor') return null;
  const has = (...states: Key['state'][]) => states.includes(key.state);
  return (
    <>
      {has('pending') && (
        <Button kind="primary" onClick={() => activate(key)}>
          Activate
        </Button>
      )}
      {has('active') && (
        <Button icon="reload" onClick={() => openDialog((close) => <Rotate of={key} close={close} />)}>
          Rotate
        </Button>
      )}
      {has('active', 'disabled') && mayRenew(key) && (
        <Button icon="certificate" onClick={() => openDialog((close) => <Renew of={key} close={close} />)}>
          Renew
        </Button>
      )}
      {has('active') && (
        <Button kind="danger" onClick={() => disable(key)}>
          Disable
        </Button>
      )}
      {has('disabled') && (
        <Button kind="primary" onClick={() => enable(key)}>
          Enable
        </Button>
      )}
      {has('active', 'disabled', 'missing') && (
        <Button kind="danger" onClick={() => retire(key)}>
          Retire
        </Button>
      )}
      {has('retired') && isAdministrator.value && (
        <Button kind="danger" onClick={() => destroy(key)}>
          {key.destruction ? 'Confirm destruction' : 'Destroy'}
        </Button>
      )}
    </>
  );
}

/** What must be known before anything else about the key. */
export function KeyNotes({ of: key }: { of: Key }) {
  return (
    <>
      {key.state === 'disabled' && (
        <Note tone="warn" title="This key is disabled: nothing can be signed with it.">
          {key.disabled_reason && `Reason: ${key.disabled_reason}`}
        </Note>
      )}
      {key.state === 'missing' && (
        <Note tone="bad" title={`The HSM ${key.hsm_name} does not have this key.`}>
          It comes back by itself when the HSM has it again and store and HSM are compared.
        </Note>
      )}
      {key.destruction && key.state === 'retired' && (
        <Note tone="warn" title={`${key.destruction.asked_by} asked for the destruction of this key.`}>
          Another administrator has to confirm it.
        </Note>
      )}
      {key.findings && (
        <Note tone="warn" title="This key is weaker than keys made here.">
          {key.findings}
        </Note>
      )}
    </>
  );
}
