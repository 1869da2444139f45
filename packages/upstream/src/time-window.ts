const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const WINDOW =
  /^(?:(sun|mon|tue|wed|thu|fri|sat)(?:-(sun|mon|tue|wed|thu|fri|sat))?)?(?:(?:^| +)([0-2]\d):([0-5]\d)-([0-2]\d):([0-5]\d))?$/i;
const MINUTES_A_DAY = 24 * 60;

/** A span of the week, in local time. */
export interface TimeWindow {
  readonly text: string;
  contains(time: Date): boolean;
}

/**
 * `Mon-Fri 08:00-18:00`, `Sat`, `22:00-06:00` (past midnight: it belongs to the day on which it begins), several with
 * commas between them.
 */
export function parseTimeWindow(text: string): TimeWindow | undefined {
  const spans = text.split(',').map((part) => parseSpan(part.trim()));
  if (spans.some((span) => span === undefined)) return undefined;
  return { text, contains: (time) => spans.some((span) => span?.(time) === true) };
}

function parseSpan(text: string): ((time: Date) => boolean) | undefined {
  const match = WINDOW.exec(text);
  if (text === '' || match === null) return undefined;
  const [, first, last = first, fromHour, fromMinute, toHour, toMinute] = match;
  const dayOf = (name: string): number => DAYS.indexOf(name.toLowerCase() as (typeof DAYS)[number]);
  const onDay = (day: number): boolean => {
    if (first === undefined || last === undefined) return true;
    const [from, to] = [dayOf(first), dayOf(last)];
    return from <= to ? day >= from && day <= to : day >= from || day <= to;
  };
  const from = fromHour === undefined ? 0 : Number(fromHour) * 60 + Number(fromMinute);
  const to = toHour === undefined ? MINUTES_A_DAY : Number(toHour) * 60 + Number(toMinute);
  if (from >= MINUTES_A_DAY || to > MINUTES_A_DAY || from === to) return undefined;
  return (time) => {
    const day = time.getDay();
    const minute = time.getHours() * 60 + time.getMinutes();
    if (from < to) return onDay(day) && minute >= from && minute < to;
    return (onDay(day) && minute >= from) || (onDay((day + 6) % 7) && minute < to);
  };
}
