// SPDX-License-Identifier: Apache-2.0
// On a server that has no project yet an administrator is led to the set-up.
import type { Page, Project } from '../api/types';
import { isAdministrator } from '../api/session';
import { href } from '../app/router';
import { LinkButton, Note } from './basic';
import { useQuery } from './query';

export function SetupOffer() {
  const projects = useQuery<Page<Project>>(isAdministrator.value ? '/v1/projects?limit=1' : null);
  if (!isAdministrator.value || projects.data?.items.length !== 0) return null;
  return (
    <Note title="This server has no project yet">
      <p>Seven steps lead to the first signature; each is tested, and you can leave and go on later.</p>
      <p class="actions">
        <LinkButton kind="primary" to={href('/setup')}>
          Set it up
        </LinkButton>
      </p>
    </Note>
  );
}
