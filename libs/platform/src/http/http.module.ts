import { type DynamicModule, Inject, Module, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AuthenticationGuard } from '../auth/authentication.guard';
import { LiveAccess } from '../auth/live-access';
import { WorkspaceGuard } from '../auth/workspace.guard';
import { Db } from '../db/db';
import type { Migrations } from '../db/migrator';
import { HealthChecks } from '../health/health-checks';
import { HealthController } from '../health/health.controller';
import { databaseCheck, loopsCheck, migrationsCheck } from '../health/platform-checks';
import { RateLimitGuard } from '../limits/rate-limit.guard';
import { RateLimitPurge } from '../limits/rate-limit-purge.loop';
import { RateLimiter } from '../limits/rate-limiter';
import { Loops } from '../loops/loops';
import { startDefaultMetrics } from '../metrics/default-metrics';
import { MetricsController } from '../metrics/metrics.controller';
import { Idempotency } from './idempotency';
import { IdempotencyPurge } from './idempotency-purge.loop';

const EXPECTED_MIGRATIONS = Symbol('expected migrations');

/**
 * What every route stands on: the global guards, idempotency, rate limits, health and metrics. Imported once, by the app,
 * together with the platform's own module; needs bindings of `WorkspaceAccess` and `LivePrincipals`.
 */
@Module({
  controllers: [HealthController, MetricsController],
  providers: [
    Idempotency,
    IdempotencyPurge,
    RateLimiter,
    RateLimitPurge,
    HealthChecks,
    LiveAccess,
    // Order matters: who is asking comes before what they may do, and how often.
    { provide: APP_GUARD, useClass: AuthenticationGuard },
    { provide: APP_GUARD, useClass: WorkspaceGuard },
    { provide: APP_GUARD, useClass: RateLimitGuard },
  ],
  exports: [Idempotency, RateLimiter, HealthChecks, LiveAccess],
})
export class HttpModule implements OnModuleInit {
  constructor(
    private readonly db: Db,
    private readonly loops: Loops,
    private readonly checks: HealthChecks,
    private readonly idempotencyPurge: IdempotencyPurge,
    private readonly rateLimitPurge: RateLimitPurge,
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
    this.loops.add(this.idempotencyPurge);
    this.loops.add(this.rateLimitPurge);
  }
}
