// SPDX-License-Identifier: Apache-2.0
export type Theme = 'dark' | 'light';

const stored = 'chancery.theme';
export const systemDark = matchMedia('(prefers-color-scheme: dark)');

export function chosenTheme(): Theme | null {
  const theme = localStorage.getItem(stored);
  return theme === 'dark' || theme === 'light' ? theme : null;
}

export const chooseTheme = (theme: Theme) => localStorage.setItem(stored, theme);

/** The theme there is to be now, put on the document. */
export function applyTheme(): Theme {
  const theme = chosenTheme() ?? (systemDark.matches ? 'dark' : 'light');
  document.documentElement.dataset.theme = theme;
  return theme;
}
