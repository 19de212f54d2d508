// SPDX-License-Identifier: Apache-2.0
// Projects: a list, and the form that makes one.
import { api } from '../api/client';
import { isAdministrator } from '../api/session';
import type { Project } from '../api/types';
import { href, navigate } from '../app/router';
import { Empty, Time } from '../ui/basic';
import { Dialog } from '../ui/dialog';
import { Form, TextField, useForm } from '../ui/form';
import { ListPage } from '../ui/list_page';
import { toast } from '../ui/toast';

function NewProject({ close }: { close: () => void }) {
  const form = useForm({ name: '', description: '' });
  return (
    <Dialog title="New project" onClose={close}>
      <Form
        form={form}
        submit="Create project"
        onCancel={close}
        onSubmit={async (v) => {
          const made = await api.create<Project>('/v1/projects', v, form.once);
          close();
          toast(`Project ${made.name} is there`);
          navigate(href('/projects', made.name));
        }}
      >
        <TextField
          form={form}
          name="name"
          label="Name"
          required
          machine
          maxLength={63}
          autofocus
          help="Lower-case letters, digits, dot, hyphen and underscore. It becomes part of every key's name on the token."
        />
        <TextField form={form} name="description" label="Description" maxLength={255} />
      </Form>
    </Dialog>
  );
}

export function Projects() {
  return (
    <ListPage<Project>
      title="Projects"
      lead="A project groups signing keys and says who owns them, who signs with them and who approves their use."
      noun="project"
      path="/v1/projects"
      filters={[{ name: 'name', label: 'Name begins with' }]}
      create={{ label: 'New project', dialog: (close) => <NewProject close={close} /> }}
      empty={
        <Empty icon="project" title="There is no project yet">
          {isAdministrator.value ? 'Make one to keep the first signing key in.' : 'You have no role in any project.'}
        </Empty>
      }
      id={(p) => p.id}
      columns={[
        { head: 'Name', kind: 'main', cell: (p) => <a href={href('/projects', p.name)}>{p.name}</a> },
        { head: 'Description', cell: (p) => p.description },
        { head: 'Created', cell: (p) => <Time at={p.created} style="date" /> },
      ]}
    />
  );
}
