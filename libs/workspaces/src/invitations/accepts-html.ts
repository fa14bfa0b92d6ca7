/**
 * Whether a request would rather have a page than JSON, by its `Accept` header. Browsers name `text/html` and put up
 * with anything; programs name `application/json`, anything, or nothing.
 */
export function prefersHtml(accept: string | undefined): boolean {
  const quality = qualities(accept ?? '');
  const of = (type: string, family: string) =>
    quality.get(type) ?? quality.get(family) ?? quality.get('*/*') ?? 0;
  return of('text/html', 'text/*') > of('application/json', 'application/*');
}

function qualities(accept: string): ReadonlyMap<string, number> {
  return new Map(
    accept.split(',').map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
      const q = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1');
      return [type, Number.isNaN(q) ? 0 : q];
    }),
  );
}
