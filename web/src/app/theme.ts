// SPDX-License-Identifier: Apache-2.0
// Dark or light: as the system says, until it is chosen here.
import { signal } from '@preact/signals';
import { applyTheme, chooseTheme, systemDark, type Theme } from './theme_choice';

export const theme = signal<Theme>(applyTheme());

systemDark.addEventListener('change', () => {
  theme.value = applyTheme();
});

export function toggleTheme() {
  chooseTheme(theme.value === 'dark' ? 'light' : 'dark');
  theme.value = applyTheme();
}
