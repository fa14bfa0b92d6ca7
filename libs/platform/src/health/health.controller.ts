import { Controller, Get, Header, HttpStatus, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/decorators';
import { HealthChecks, type Readiness } from './health-checks';

/** Probes for orchestrators: `live` says that the process runs, `ready` that it should get traffic. */
@ApiExcludeController()
@Public()
@Controller('health')
export class HealthController {
  constructor(private readonly checks: HealthChecks) {}

  /** Looks at nothing: a database that is away is no reason to restart this process. */
  @Get('live')
  @Header('cache-control', 'no-store')
  live(): { readonly status: 'live' } {
    return { status: 'live' };
  }

  /** 200 with the states of all dependencies, or 503 with the same while starting, draining, or one of them is down. */
  @Get('ready')
  @Header('cache-control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Readiness> {
    const readiness = await this.checks.ready();
    if (readiness.status === 'not_ready') void reply.code(HttpStatus.SERVICE_UNAVAILABLE);
    return readiness;
  }
}
