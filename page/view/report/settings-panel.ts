import { element, panel } from '../element.ts';
import type { SettingGroup } from '../report-data.ts';

/** What was run. */
export const settingsPanel = (groups: readonly SettingGroup[]): HTMLElement =>
  panel('settings', 'What was run', {}, element('div', { class: 'setting-groups' }, ...groups.map(groupOf)));

const groupOf = ({ title, rows }: SettingGroup): HTMLElement =>
  element(
    'table',
    { class: 'setting-group' },
    element('caption', {}, title),
    element(
      'tbody',
      {},
      ...rows.map(([name, value]) =>
        element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, value)),
      ),
    ),
  );
