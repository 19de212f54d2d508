// SPDX-License-Identifier: Apache-2.0
// Runs before anything is painted: dark or light as chosen here, else as the system says.
import { applyTheme } from './app/theme_choice';

applyTheme();
