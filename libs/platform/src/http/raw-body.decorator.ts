import { RouteConfig } from '@nestjs/platform-fastify';

/** What a route says about its body, on Fastify's route config. */
export interface RawBodyConfig {
  readonly millraceRawBody: { readonly maxBytes: number };
}

/**
 * A route that takes bytes of any content type, signatures included: the body is a Buffer (`@Body()`, `request.rawBody`)
 * that nothing has parsed. More than `maxBytes` is a 413. For inbound webhooks and the like.
 */
export function RawBodyRoute(maxBytes: number): MethodDecorator {
  const config: RawBodyConfig = { millraceRawBody: { maxBytes } };
  return RouteConfig(config);
}

/** The most bytes a raw route takes; null for JSON routes. */
export function rawBodyLimitOf(config: unknown): number | null {
  if (typeof config !== 'object' || config === null || !('millraceRawBody' in config)) return null;
  return (config as RawBodyConfig).millraceRawBody.maxBytes;
}
