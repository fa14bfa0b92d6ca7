import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  buildOpenApi,
  type OperationText,
  parseConfig,
  SystemClock,
  SystemRandom,
  UuidV7Ids,
} from '#platform';
import { AppModule } from '../app.module';
import { createHttpAdapter } from '../http';
import { reference } from '../reference';

/**
 * The OpenAPI document of this code, as text, with what its operations do. Nest's preview builds the graph of modules without making anything in
 * it, so neither a database nor a port is needed.
 */
export async function openApiText(operations: Readonly<Record<string, OperationText>>): Promise<string> {
  const config = parseConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent' });
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot({ config, databaseUrl: 'postgres://nowhere/', secretKey: Buffer.alloc(32) }),
    createHttpAdapter(config, new UuidV7Ids(new SystemClock(), new SystemRandom())),
    { preview: true, logger: false, abortOnError: false },
  );
  return `${JSON.stringify(buildOpenApi(app, { ...reference, operations }), null, 2)}\n`;
}
