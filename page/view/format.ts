/** A narrow no-break space. */
const thin = '\u202f';

/** Shown where there is no finite number. */
export const missing = '–';

type Maybe = number | null | undefined;

const known = (value: Maybe): value is number => typeof value === 'number' && Number.isFinite(value);

/** 12345.6 → "12 346". */
export function grouped(value: Maybe, digits = 0): string {
  if (!known(value)) return missing;
  const [whole, rest] = Math.abs(value).toFixed(digits).split('.');
  const groups = whole.replaceAll(/\B(?=(\d{3})+$)/g, thin);
  return `${value < 0 ? '−' : ''}${groups}${rest === undefined ? '' : `.${rest}`}`;
}

/** A rate per second; below 10 with one decimal. */
export const rate = (value: Maybe): string =>
  grouped(value, known(value) && value !== 0 && Math.abs(value) < 10 ? 1 : 0);

/** For an axis: 1200 → "1.2k". */
export function short(value: number): string {
  const size = Math.abs(value);
  const [divisor, unit] =
    size >= 1e9 ? [1e9, 'G'] : size >= 1e6 ? [1e6, 'M'] : size >= 1e3 ? [1e3, 'k'] : [1, ''];
  return `${Number((value / divisor).toPrecision(3))}${unit}`;
}

/** A loss, with three decimals. */
export const loss = (value: Maybe): string => grouped(value, 3);

/** 0.416 → "42 %". */
export const percent = (share: Maybe, digits = 0): string =>
  known(share) ? `${grouped(100 * share, digits)}${thin}%` : missing;

/** 1234567 → "1.2 MB". */
export function bytes(count: Maybe): string {
  if (!known(count)) return missing;
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${grouped(value, power > 0 && value < 99.95 ? 1 : 0)}${thin}${units[power]}`;
}

/** 192 → "3 min 12 s"; two units at most. */
export function duration(seconds: Maybe): string {
  if (!known(seconds)) return missing;
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ] as const;
  const first = Math.max(
    0,
    parts.findIndex(([count], i) => count > 0 || i === parts.length - 1),
  );
  return parts
    .slice(first, first + 2)
    .filter(([count], i) => i === 0 || count > 0)
    .map(([count, unit]) => `${count}${thin}${unit}`)
    .join(' ');
}

/** 0.00031 → "3.10 × 10⁻⁴". */
export function scientific(value: Maybe): string {
  if (!known(value)) return missing;
  const size = Math.abs(value);
  if (value === 0 || (size >= 0.01 && size < 1000)) return String(Number(value.toPrecision(3)));
  const [mantissa, exponent] = value.toExponential(2).split('e');
  const raised = Array.from(String(Number(exponent)), (digit) => raisedDigits[digit]).join('');
  return `${mantissa}${thin}×${thin}10${raised}`;
}

const raisedDigits: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Array.from('⁰¹²³⁴⁵⁶⁷⁸⁹', (raised, digit) => [String(digit), raised])),
  '-': '⁻',
};

/** "document" for one, "documents" for others. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`;
