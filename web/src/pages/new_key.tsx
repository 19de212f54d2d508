// SPDX-License-Identifier: Apache-2.0
// Makes a signing key in a project: algorithm, where its certificate comes from, now or later.
import { api, path } from '../api/client';
import type { Key, KeyType } from '../api/types';
import { href, navigate } from '../app/router';
import { keyName, keyTypes } from '../lib/keys';
import { HsmField } from '../ui/hsm_field';
import { useKeySources } from '../ui/key_sources';
import { nameOf } from '../lib/text';
import { Dialog } from '../ui/dialog';
import { byDefault, firstCertificate, FirstCertificateFields } from '../ui/first_certificate';
import { CheckField, Form, SelectField, TextField, useForm } from '../ui/form';
import { toast } from '../ui/toast';

const typeHelp: Record<string, string> = {
  p256: 'Small and fast; a good choice where nothing else is demanded.',
  p384: 'As demanded by some firmware and government profiles.',
  rsa3072: 'For tools and platforms that know RSA only; the least that public code signing asks for.',
  rsa4096: 'Slow to make and to use; only where it is demanded.',
  rsa2048: 'Too short for publicly trusted code signing.',
  ed25519: 'Signs whole messages, not digests; few signing tools can use it.',
};

export function NewKey({ project, close }: { project: string; close: () => void }) {
  const form = useForm({
    label: '',
    type: 'p256',
    hsm: '',
    ...byDefault,
    later: false,
  });
  const { values } = form;
  const sources = useKeySources(project);
  return (
    <Dialog title={`New key in ${project}`} onClose={close}>
      <Form
        form={form}
        submit={values.later ? 'Create the key' : 'Create and make it in the HSM'}
        onCancel={close}
        onSubmit={async (v) => {
          const body = {
            label: v.label.trim(),
            type: v.type,
            certificate: firstCertificate(v),
            generate: v.later ? 'later' : 'now',
            ...(v.hsm ? { hsm: v.hsm } : {}),
          };
          const made = await api.create<Key>(path`/v1/projects/${project}/keys`, body, form.once);
          close();
          toast(`Key ${keyName(made)} is ${made.state}`);
          navigate(href('/keys', keyName(made)));
        }}
      >
        <TextField
          form={form}
          name="label"
          label="Label"
          required
          machine
          maxLength={63}
          autofocus
          help={`Clients see it as ${project}-${values.label.trim() || '…'}.`}
        />
        <SelectField
          form={form}
          name="type"
          label="Type"
          required
          choices={keyTypes.map((t) => [t, nameOf(t)])}
          help={typeHelp[values.type]}
        />
        <HsmField form={form} sources={sources} type={values.type as KeyType} />
        <FirstCertificateFields form={form} sources={sources} />
        <CheckField
          form={form}
          name="later"
          label="Make the key pair later"
          help="The key waits, pending, until it is activated."
        />
      </Form>
    </Dialog>
  );
}
