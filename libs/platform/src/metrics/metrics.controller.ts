import { Controller, Get, Header, Headers } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { register } from 'prom-client';
import { Public } from '../auth/decorators';
import { Config } from '../config/config';
import { constantTimeEqual } from '../crypto/digest';
import { AppError } from '../errors/app-error';
import { platformErrors } from '../errors/platform-errors';

/** Prometheus metrics of this process. Open unless METRICS_TOKEN is set. */
@ApiExcludeController()
@Public()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly config: Config) {}

  @Get()
  @Header('content-type', register.contentType)
  @Header('cache-control', 'no-store')
  metrics(@Headers('authorization') authorization: string | undefined): Promise<string> {
    const token = this.config.values.metricsToken;
    if (token !== null && !constantTimeEqual(authorization ?? '', `Bearer ${token.reveal()}`)) {
      throw new AppError(platformErrors.unauthenticated, {
        detail: 'Send the METRICS_TOKEN of this server as "Authorization: Bearer …".',
      });
    }
    return register.metrics();
  }
}
