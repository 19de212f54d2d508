// SPDX-License-Identifier: Apache-2.0
import { IconButton } from '../ui/basic';
import { theme, toggleTheme } from './theme';

export function ThemeButton() {
  const isDark = theme.value === 'dark';
  return (
    <IconButton icon={isDark ? 'sun' : 'moon'} label={isDark ? 'Light theme' : 'Dark theme'} onClick={toggleTheme} />
  );
}
