// SPDX-License-Identifier: Apache-2.0
// Takes a key that is in an HSM already into a project, where it is.
import { api, path } from '../api/client';
import type { Key } from '../api/types';
import { href, navigate } from '../app/router';
import { keyName } from '../lib/keys';
import { Dialog } from '../ui/dialog';
import { byDefault, firstCertificate, FirstCertificateFields } from '../ui/first_certificate';
import { CheckField, Form, SelectField, TextField, useForm } from '../ui/form';
import { HsmField } from '../ui/hsm_field';
import { useKeySources } from '../ui/key_sources';
import { toast } from '../ui/toast';

export function ImportKey({ project, close }: { project: string; close: () => void }) {
  const form = useForm({
    label: '',
    hsm: '',
    by: 'hsm_label',
    hsm_label: '',
    cka_id: '',
    ...byDefault,
    accept_weak: false,
  });
  const { values } = form;
  const sources = useKeySources(project);
  return (
    <Dialog title={`Import a key into ${project}`} onClose={close}>
      <p>
        The key stays where it is in the HSM; its attributes are read back and shown. Its CKA_ID becomes the SHA-1 of
        the public key, as for keys made here: a program that finds it in the HSM by its old CKA_ID does so no more.
      </p>
      <Form
        form={form}
        submit="Import the key"
        onCancel={close}
        onSubmit={async (v) => {
          const body = {
            label: v.label.trim(),
            ...(v.by === 'cka_id' ? { cka_id: v.cka_id.trim() } : { hsm_label: v.hsm_label }),
            ...(v.hsm ? { hsm: v.hsm } : {}),
            ...(v.accept_weak ? { accept_weak: true } : {}),
            certificate: firstCertificate(v),
          };
          const made = await api.create<Key>(path`/v1/projects/${project}/keys/import`, body, form.once);
          close();
          toast(`Key ${keyName(made)} is imported`);
          navigate(href('/keys', keyName(made)));
        }}
      >
        <TextField form={form} name="label" label="Label here" required machine maxLength={63} autofocus />
        <HsmField form={form} sources={sources} />
        <SelectField
          form={form}
          name="by"
          label="Find it in the HSM by"
          required
          choices={[
            ['hsm_label', 'its label (CKA_LABEL)'],
            ['cka_id', 'its identifier (CKA_ID)'],
          ]}
        />
        {values.by === 'cka_id' ? (
          <TextField form={form} name="cka_id" label="CKA_ID" required machine help="In hexadecimal." />
        ) : (
          <TextField form={form} name="hsm_label" label="CKA_LABEL" required machine />
        )}
        <FirstCertificateFields form={form} sources={sources} />
        <CheckField
          form={form}
          name="accept_weak"
          label="Take it even if its attributes are weaker than those of keys made here"
          help="It is then marked for good: such a key may have left the HSM before."
        />
      </Form>
    </Dialog>
  );
}
