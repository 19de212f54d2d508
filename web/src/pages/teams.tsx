// SPDX-License-Identifier: Apache-2.0
// Teams: a list, and the form that makes one.
import type { Team } from '../api/types';
import { href } from '../app/router';
import { Empty, Time } from '../ui/basic';
import { ListPage } from '../ui/list_page';
import { NewNamed } from '../ui/new_named';

const NewTeam = ({ close }: { close: () => void }) => (
  <NewNamed
    noun="team"
    path="/v1/teams"
    page="/teams"
    nameHelp="No user or service account may have the same."
    close={close}
  />
);

export function Teams() {
  return (
    <ListPage<Team>
      title="Teams"
      lead="A team holds roles in projects for all its members, and owns service accounts: their keys are managed by its members."
      noun="team"
      path="/v1/teams"
      create={{ label: 'New team', dialog: (close) => <NewTeam close={close} /> }}
      empty={
        <Empty icon="team" title="There is no team yet">
          Make one where several people share a role.
        </Empty>
      }
      id={(t) => t.id}
      name={(t) => t.name}
      columns={[
        { head: 'Name', kind: 'main', cell: (t) => <a href={href('/teams', t.name)}>{t.name}</a> },
        { head: 'Description', cell: (t) => t.description },
        { head: 'Created', cell: (t) => <Time at={t.created} style="date" /> },
      ]}
    />
  );
}
