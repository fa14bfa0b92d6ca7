import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  AllowedMethods,
  HttpModule,
  installBodyParsers,
  installHttpHooks,
  ProblemFilter,
  SchemaValidationPipe,
} from '#platform';
import { CollectingLogger } from '#platform/testing';
import { type IdentityApp, useIdentityApp } from './identity-app';

const BODY_LIMIT_BYTES = 64 * 1024;

/** The identity application behind the platform's guards, parsers, validation and problem documents. */
export function useIdentityHttp(environment: Readonly<Record<string, string>> = {}): () => IdentityApp {
  return useIdentityApp({
    environment,
    imports: [HttpModule.with({ control: [], cell: [] })],
    configure: (app: NestFastifyApplication) => {
      const allowedMethods = new AllowedMethods();
      installHttpHooks(app.getHttpAdapter().getInstance(), allowedMethods);
      installBodyParsers(app, BODY_LIMIT_BYTES);
      app.useGlobalFilters(new ProblemFilter(allowedMethods, new CollectingLogger()));
      app.useGlobalPipes(new SchemaValidationPipe());
    },
  });
}
