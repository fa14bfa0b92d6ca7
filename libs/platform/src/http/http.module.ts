import { type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthenticationGuard } from '../auth/authentication.guard';
import { WorkspaceGuard } from '../auth/workspace.guard';
import { Db } from '../db/db';
import type { Migrations } from '../db/migrator';
import { HealthChecks } from '../health/health-checks';
import { HealthController } from '../health/health.controller';
import { databaseCheck, loopsCheck, migrationsCheck } from '../health/platform-checks';
import { Loops } from '../loops/loops';
import { startDefaultMetrics } from '../metrics/default-metrics';
import { MetricsController } from '../metrics/metrics.controller';
import { Idempotency } from './idempotency';
import { IdempotencyPurge } from './idempotency-purge.loop';

const EXPECTED_MIGRATIONS = Symbol('expected migrations');

/**
 * What every route stands on: the global guards, idempotency, health and metrics. Imported once, by the app, together
 * with the platform's own module; needs a binding of `WorkspaceAccess`.
 */
@Module({
  controllers: [HealthController, MetricsController],
  providers: [
    Idempotency,
    IdempotencyPurge,
    HealthChecks,
    // Order matters: who is asking comes before what they may do.
    { provide: APP_GUARD, useClass: AuthenticationGuard },
    { provide: APP_GUARD, useClass: WorkspaceGuard },
  ],
  exports: [Idempotency, HealthChecks],
})
export class HttpModule implements OnModuleInit {
  constructor(
    private readonly db: Db,
    private readonly loops: Loops,
    private readonly checks: HealthChecks,
    private readonly purge: IdempotencyPurge,
    @Inject(EXPECTED_MIGRATIONS) private readonly migrations: Migrations,
  ) {}

  /** The module with the migrations that readiness expects in the database. Global: any domain may use what it exports. */
  static with(migrations: Migrations): DynamicModule {
    return {
      module: HttpModule,
      global: true,
      providers: [{ provide: EXPECTED_MIGRATIONS, useValue: migrations }],
    };
  }

  onModuleInit(): void {
    startDefaultMetrics();
    this.checks.add('database', databaseCheck(this.db));
    this.checks.add('migrations', migrationsCheck(this.db, this.migrations));
    this.checks.add('loops', loopsCheck(this.loops));
    this.loops.add(this.purge);
  }
}
