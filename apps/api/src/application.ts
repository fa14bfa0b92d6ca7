import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  drainOrder,
  Lifecycle,
  NestLogger,
  PinoLogger,
  type PlatformOptions,
  SystemClock,
  SystemRandom,
  UuidV7Ids,
} from '#platform';
import { AppModule } from './app.module';
import { configureHttp, createHttpAdapter } from './http';

/** Makes the application on a migrated database, ready to `listen`. Its lifecycle closes it. */
export async function createApplication(options: PlatformOptions): Promise<NestFastifyApplication> {
  const { config } = options;
  const logger = options.logger ?? PinoLogger.fromConfig(config);
  const adapter = createHttpAdapter(config, new UuidV7Ids(new SystemClock(), new SystemRandom()));
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.forRoot({ ...options, logger }),
    adapter,
    { logger: new NestLogger(logger), bodyParser: false, abortOnError: false },
  );
  await configureHttp(app, config);
  app.get(Lifecycle).onDrain('application', drainOrder.connections, () => app.close());
  return app;
}
