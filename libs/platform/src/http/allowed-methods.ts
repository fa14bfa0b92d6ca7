/**
 * Which methods a path answers, learnt from the routes as they are registered. Only asked for requests that matched
 * no route, to tell a wrong method (405 with `Allow`) from an unknown path (404).
 */
export class AllowedMethods {
  readonly #methods = new Map<string, Set<string>>();

  /** Remembers a route by its template, e.g. `/v1/workspaces/:workspaceId`. */
  add(template: string, methods: string | readonly string[]): void {
    const known = this.#methods.get(template) ?? new Set();
    for (const method of [methods].flat()) known.add(method.toUpperCase());
    this.#methods.set(template, known);
  }

  /** The methods of all templates that a path matches, sorted; empty for an unknown path. */
  of(path: string): readonly string[] {
    const found = [...this.#methods].filter(([template]) => matches(template.split('/'), path.split('/')));
    return [...new Set(found.flatMap(([, methods]) => [...methods]))].toSorted();
  }
}

function matches(template: readonly string[], path: readonly string[]): boolean {
  // A catch-all (static files) knows only at the end whether it has an answer, so it says nothing about methods.
  if (template.includes('*') || template.length !== path.length) return false;
  return template.every((part, index) => (part.startsWith(':') ? path[index] !== '' : part === path[index]));
}
