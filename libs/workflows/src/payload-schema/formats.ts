import { z } from 'zod';

/** No text of these formats is longer; some of them are told by a regex that should not be given more. */
const LONGEST_CHARS = 2_048;

const formats: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['date', z.iso.date()],
  ['date-time', z.iso.datetime({ offset: true })],
  ['time', z.iso.time()],
  ['email', z.email().max(254)],
  ['hostname', z.hostname()],
  ['ipv4', z.ipv4()],
  ['ipv6', z.ipv6()],
  ['uri', z.url()],
  ['uuid', z.guid()],
]);

/** The formats that are checked. */
export const formatNames: readonly string[] = [...formats.keys()];

export function hasFormat(text: string, format: string): boolean {
  return text.length <= LONGEST_CHARS && formats.get(format)?.safeParse(text).success === true;
}
