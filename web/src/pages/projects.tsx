// SPDX-License-Identifier: Apache-2.0
// Projects: a list, and the form that makes one.
import { isAdministrator } from '../api/session';
import type { Project } from '../api/types';
import { href } from '../app/router';
import { Empty, Time } from '../ui/basic';
import { ListPage } from '../ui/list_page';
import { NewNamed } from '../ui/new_named';

const NewProject = ({ close }: { close: () => void }) => (
  <NewNamed
    noun="project"
    path="/v1/projects"
    page="/projects"
    nameHelp="It becomes part of every key's name on the token."
    close={close}
  />
);

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
      name={(p) => p.name}
      columns={[
        { head: 'Name', kind: 'main', cell: (p) => <a href={href('/projects', p.name)}>{p.name}</a> },
        { head: 'Description', cell: (p) => p.description },
        { head: 'Created', cell: (p) => <Time at={p.created} style="date" /> },
      ]}
    />
  );
}
