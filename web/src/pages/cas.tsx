// SPDX-License-Identifier: Apache-2.0
// Certificate authorities: a list, and the form that makes one.
import { api } from '../api/client';
import type { Ca } from '../api/types';
import { href, navigate } from '../app/router';
import { expiryTone } from '../lib/keys';
import { capital, human, nameOf, number } from '../lib/text';
import { Badge, Time } from '../ui/basic';
import { Dialog } from '../ui/dialog';
import { CheckField, Form, SelectField, TextField, useForm } from '../ui/form';
import { NameField } from '../ui/name_field';
import { ListPage } from '../ui/list_page';
import { toast } from '../ui/toast';

export const caState = (state: Ca['state']) =>
  state === 'awaiting_certificate' ? <Badge tone="info">Waits for its certificate</Badge> : <Badge state={state} />;

export const purposes: Record<Ca['purpose'], string> = {
  root: 'Root',
  code_signing: 'Code signing',
  timestamping: 'Time stamping',
};

function NewCa({ close }: { close: () => void }) {
  const form = useForm({
    name: '',
    purpose: 'code_signing',
    subject: '',
    external: false,
    key_type: 'p384',
    days: '',
    leaf_days: '',
    crl_days: '',
  });
  const { external } = form.values;
  return (
    <Dialog title="New certificate authority" onClose={close}>
      <Form
        form={form}
        submit="Make the CA"
        onCancel={close}
        onSubmit={async (v) => {
          const body = {
            name: v.name.trim(),
            purpose: v.purpose,
            subject: v.subject.trim(),
            key_type: v.key_type,
            ...(v.external ? { external: true } : v.days ? { days: Number(v.days) } : {}),
            ...(v.leaf_days ? { leaf_days: Number(v.leaf_days) } : {}),
            ...(v.crl_days ? { crl_days: Number(v.crl_days) } : {}),
          };
          const made = await api.create<Ca>('/v1/cas', body, form.once);
          close();
          toast(`CA ${made.name} is made`);
          navigate(href('/cas', made.name));
        }}
      >
        <NameField form={form} />
        <SelectField
          form={form}
          name="purpose"
          label="For"
          required
          choices={[
            ['code_signing', 'Code signing'],
            ['timestamping', 'Time stamping'],
          ]}
        />
        <TextField
          form={form}
          name="subject"
          label="Subject"
          required
          maxLength={255}
          placeholder="CN=Example Issuing CA,O=Example,C=DE"
        />
        <SelectField
          form={form}
          name="key_type"
          label="Key"
          required
          choices={['p256', 'p384', 'rsa3072', 'rsa4096'].map((t) => [t, nameOf(t)])}
        />
        <CheckField
          form={form}
          name="external"
          label="Somebody outside certifies it"
          help="It waits for its certificate; its request can be downloaded from its page. Otherwise the root here certifies it at once."
        />
        {!external && <TextField form={form} name="days" label="Its own validity in days" type="number" min={1} />}
        <TextField
          form={form}
          name="leaf_days"
          label="Validity of what it issues, in days"
          type="number"
          min={1}
          max={460}
          help="At most 460."
        />
        <TextField form={form} name="crl_days" label="Validity of its CRLs, in days" type="number" min={1} max={365} />
      </Form>
    </Dialog>
  );
}

export function Cas() {
  return (
    <ListPage<Ca>
      title="Certificate authorities"
      lead="The built-in CAs. Their keys are in the HSM, as all others are."
      noun="CA"
      path="/v1/cas"
      filters={[
        { name: 'name', label: 'Name begins with' },
        {
          name: 'state',
          label: 'State',
          choices: ['active', 'awaiting_certificate', 'retired'].map((s) => [s, capital(human(s))]),
        },
      ]}
      create={{ label: 'New CA', dialog: (close) => <NewCa close={close} /> }}
      id={(c) => c.name}
      name={(c) => c.name}
      columns={[
        { head: 'Name', kind: 'main', cell: (c) => <a href={href('/cas', c.name)}>{c.name}</a> },
        { head: 'Subject', cell: (c) => c.subject },
        { head: 'For', cell: (c) => purposes[c.purpose] },
        { head: 'State', cell: (c) => caState(c.state) },
        {
          head: 'Until',
          cell: (c) =>
            c.not_after &&
            (expiryTone(new Date(c.not_after)) === 'good' ? (
              <Time at={c.not_after} style="date" />
            ) : (
              <Badge tone={expiryTone(new Date(c.not_after))}>
                ends <Time at={c.not_after} style="ago" />
              </Badge>
            )),
        },
        { head: 'Revoked', kind: 'number', cell: (c) => number(c.revocations) },
      ]}
    />
  );
}
