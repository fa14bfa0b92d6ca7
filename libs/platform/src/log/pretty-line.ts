const COLOURS: Readonly<Record<string, number>> = { trace: 90, debug: 90, info: 32, warn: 33, error: 31 };

/** Control characters would let a logged text move the cursor of whoever watches, or fake a line of its own. */
function tame(text: string): string {
  // eslint-disable-next-line no-control-regex -- these characters are what has to go
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => JSON.stringify(character).slice(1, -1));
}

/** Turns a JSON log line into `12:33:48.123 INFO  engine: Claimed runs. runs=3`, an error's stack indented below. */
export function prettyLine(json: string, coloured: boolean): string {
  const { time, level, scope, msg, ...fields } = parsed(json);
  const paint = (text: string, colour: number): string =>
    coloured ? `\u001b[${colour}m${text}\u001b[0m` : text;
  const name = textOf(level);
  const details = Object.entries(fields)
    .map(([key, value]) => `${paint(`${key}=`, 90)}${tame(key === 'error' ? headOf(value) : textOf(value))}`)
    .join(' ');
  const head = [
    paint(textOf(time).slice(11, 23), 90),
    paint(name.toUpperCase().padEnd(5), COLOURS[name] ?? 0),
    `${scope === undefined ? '' : `${tame(textOf(scope))}: `}${tame(textOf(msg))}`,
    details,
  ];
  return `${head.filter(Boolean).join(' ')}\n${stackOf(fields['error'])}`;
}

function parsed(json: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null ? { ...value } : { msg: value };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function memberOf(value: unknown, name: 'cause' | 'message' | 'stack'): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function headOf(error: unknown): string {
  return textOf(memberOf(error, 'message') ?? error);
}

function stackOf(error: unknown): string {
  const stack = memberOf(error, 'stack');
  if (typeof stack !== 'string') return '';
  const lines = stack.split('\n').map((line) => `    ${tame(line)}\n`);
  return lines.join('') + stackOf(memberOf(error, 'cause'));
}
