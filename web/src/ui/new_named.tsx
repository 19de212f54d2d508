// SPDX-License-Identifier: Apache-2.0
// The dialog that makes what is a name and a description, and leads to its page.
import { api } from '../api/client';
import { href, navigate } from '../app/router';
import { capital } from '../lib/text';
import { Dialog } from './dialog';
import { Form, TextField, useForm } from './form';
import { NameField } from './name_field';
import { toast } from './toast';

export function NewNamed({
  noun,
  path,
  page,
  nameHelp,
  close,
}: {
  noun: string;
  /** Of the list it joins, such as /v1/teams. */
  path: string;
  /** Of the pages of such things, such as /teams. */
  page: string;
  /** What becomes of the name, in a sentence. */
  nameHelp: string;
  close: () => void;
}) {
  const form = useForm({ name: '', description: '' });
  return (
    <Dialog title={`New ${noun}`} onClose={close}>
      <Form
        form={form}
        submit={`Create ${noun}`}
        onCancel={close}
        onSubmit={async (v) => {
          const made = await api.create<{ name: string }>(path, { ...v, name: v.name.trim() }, form.once);
          close();
          toast(`${capital(noun)} ${made.name} is there`);
          navigate(href(page, made.name));
        }}
      >
        <NameField form={form} help={nameHelp} />
        <TextField form={form} name="description" label="Description" maxLength={255} />
      </Form>
    </Dialog>
  );
}
