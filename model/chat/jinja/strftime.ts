const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const two = (value: number): string => String(value).padStart(2, '0');

const directives: Readonly<Record<string, (date: Date) => string>> = {
  '%Y': (date) => String(date.getUTCFullYear()),
  '%y': (date) => two(date.getUTCFullYear() % 100),
  '%m': (date) => two(date.getUTCMonth() + 1),
  '%-m': (date) => String(date.getUTCMonth() + 1),
  '%B': (date) => months[date.getUTCMonth()],
  '%b': (date) => months[date.getUTCMonth()].slice(0, 3),
  '%d': (date) => two(date.getUTCDate()),
  '%-d': (date) => String(date.getUTCDate()),
  '%A': (date) => days[date.getUTCDay()],
  '%a': (date) => days[date.getUTCDay()].slice(0, 3),
  '%H': (date) => two(date.getUTCHours()),
  '%I': (date) => two(date.getUTCHours() % 12 || 12),
  '%p': (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  '%M': (date) => two(date.getUTCMinutes()),
  '%S': (date) => two(date.getUTCSeconds()),
  '%%': () => '%',
};

/**
 * Python's strftime in English and UTC, whatever the machine speaks.
 *
 * @throws Error where a directive is none that chat templates use
 */
export function strftime(date: Date, format: string): string {
  return format.replaceAll(/%-?./gs, (directive) => {
    const write = directives[directive];
    if (write === undefined) throw new Error(`strftime_now does not know ${directive}`);
    return write(date);
  });
}
