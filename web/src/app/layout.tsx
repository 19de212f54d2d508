// SPDX-License-Identifier: Apache-2.0
// The frame of every page: navigation, banner of a lost connection, messages, dialogs.
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import { isLost, nextTry, tryNow } from '../api/connection';
import { forgetAll } from '../api/kept';
import { isAdministrator, readsAll, session, sessionClosed } from '../api/session';
import { pages, seldom } from '../pages';
import { Button, Empty, Problem, classes } from '../ui/basic';
import { closeDialogs } from '../ui/dialog';
import { Icon, Logo } from '../ui/icons';
import { SetupOffer } from '../ui/setup_offer';
import { toast } from '../ui/toast';
import type { Group, PageRow } from './page';
import { currentPath, href, match, navigate, visits } from './router';
import { SignOutButton } from './signin';
import { ThemeButton } from './theme_button';

const groups: (Group | undefined)[] = [undefined, 'Signing', 'People', 'Evidence', 'Platform'];

function isForMe(page: PageRow): boolean {
  if (page.for === 'administrator') return isAdministrator.value;
  return page.for === 'reader' ? readsAll.value : true;
}

async function signOut() {
  try {
    await api.delete('/v1/session', { quiet: true });
  } catch {
    toast('The server could not be told; the session ends by itself', 'bad');
  }
  closeDialogs();
  forgetAll();
  sessionClosed();
  navigate(href('/'), true);
}

function NavLinks() {
  const at = currentPath.value;
  return (
    <>
      {groups.map((group) => {
        const rows = pages.filter((p) => p.nav && p.nav.group === group && isForMe(p));
        if (rows.length === 0) return null;
        return (
          <div key={group ?? ''} class="nav-group">
            {group && <p class="nav-title">{group}</p>}
            <ul>
              {rows.map((p) => {
                const Count = p.nav!.count;
                const isHere = p.path === '/' ? at === '/' : at === p.path || at.startsWith(`${p.path}/`);
                return (
                  <li key={p.path}>
                    <a href={href(p.path)} aria-current={isHere ? 'page' : undefined}>
                      <Icon name={p.nav!.icon} />
                      {p.nav!.label}
                      {Count && <Count />}
                    </a>
                  </li>
                );
              })}
            </ul>
          </div>
        );
      })}
    </>
  );
}

const roleWords = { administrator: 'Administrator', auditor: 'Auditor', user: 'User' };

function Side() {
  const [open, setOpen] = useState(false);
  const visit = visits.value;
  useEffect(() => setOpen(false), [visit]);
  const me = session.value!;
  return (
    <header class={classes('side', open && 'open')} onKeyDown={(e) => e.key === 'Escape' && setOpen(false)}>
      <div class="side-top">
        <a class="brand" href={href('/')}>
          <Logo />
          <span>Chancery</span>
        </a>
        <button
          type="button"
          class="button quiet icon-only menu"
          aria-label={open ? 'Close the menu' : 'Open the menu'}
          aria-expanded={open}
          aria-controls="navigation"
          onClick={() => setOpen(!open)}
        >
          <Icon name={open ? 'cross' : 'menu'} />
        </button>
      </div>
      <div class="side-inner" id="navigation">
        <nav aria-label="Pages">
          <NavLinks />
        </nav>
        <div class="me">
          <a class="me-name" href={href('/me')} aria-current={currentPath.value === '/me' ? 'page' : undefined}>
            <span class="me-user" title={me.user}>
              {me.user}
            </span>
            <span class="me-role">{roleWords[me.role]}</span>
            <span class="hidden">: my account</span>
          </a>
          <ThemeButton />
          <SignOutButton onClick={() => void signOut()} />
        </div>
      </div>
    </header>
  );
}

function LostBanner() {
  return (
    <div class="banner" role="alert">
      <Icon name="warning" />
      <span>
        No connection to the server. Nothing you typed is lost.{' '}
        <span class="muted" aria-hidden="true">
          Next try in {nextTry.value} s.
        </span>
      </span>
      <Button icon="reload" onClick={tryNow}>
        Try now
      </Button>
    </div>
  );
}

/** A mistake in one page leaves the rest standing. */
class Boundary extends Component<{ children: ComponentChildren }, { error: unknown }> {
  override state = { error: null as unknown };
  override componentDidCatch(error: unknown) {
    this.setState({ error });
  }
  override render() {
    return this.state.error ? <Problem error={this.state.error} /> : this.props.children;
  }
}

function CurrentPage() {
  const path = currentPath.value;
  for (const page of pages) {
    const params = match(page.path, path);
    if (!params) continue;
    const View = page.view;
    return (
      <Boundary key={path}>
        {path === '/' && <SetupOffer />}
        <View params={params} />
      </Boundary>
    );
  }
  return (
    <>
      <h1 tabIndex={-1}>There is no such page</h1>
      <Empty icon="search" title="Nothing is at this address">
        <IconLink />
      </Empty>
    </>
  );
}

const IconLink = () => <a href={href('/')}>Go to the overview</a>;

export function Layout() {
  const main = useRef<HTMLElement>(null);
  const visit = visits.value;
  useEffect(seldom.ahead, []);
  // Who cannot see the page hears that it is another one; the title follows the heading.
  useEffect(() => {
    const heading = () => main.current?.querySelector('h1');
    const name = () => {
      const text = heading()?.textContent?.trim();
      document.title = text ? `${text} · Chancery` : 'Chancery';
    };
    const frame = requestAnimationFrame(() => {
      if (visit > 0) (heading() ?? main.current)?.focus({ preventScroll: true });
    });
    name();
    const observer = new MutationObserver(name);
    observer.observe(main.current!, { childList: true, subtree: true, characterData: true });
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
    };
  }, [visit]);
  return (
    <div class="app">
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Side />
      <div class="content">
        {isLost.value && <LostBanner />}
        <main id="main" ref={main} tabIndex={-1}>
          <CurrentPage />
        </main>
      </div>
    </div>
  );
}
