import { Controller, Headers, HttpCode, Param, Post, Query, Req } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { Public, RawBodyRoute } from '#platform';
import { Hooks } from './hooks.service';

const acceptedHook = z.object({ runId: z.uuid() }).meta({ id: 'AcceptedHook' });

/** The largest body a webhook takes. */
const MAX_BODY_BYTES = 256 * 1024;

/** Where senders of webhooks call. The address is the secret; nothing else is asked for. */
@ApiTags('hooks')
@Controller('hooks')
export class HooksController {
  constructor(private readonly hooks: Hooks) {}

  /** Starts a run with the request as its event. It is durable once this answers. Takes any content type. */
  @Post(':token')
  @HttpCode(202)
  @Public()
  @RawBodyRoute(MAX_BODY_BYTES)
  @ApiResponse({ status: 202, standardSchema: acceptedHook })
  async call(
    @Param('token') token: string,
    @Headers() headers: Readonly<Record<string, string | string[] | undefined>>,
    @Query() query: Readonly<Record<string, unknown>>,
    @Req() request: { readonly rawBody?: Buffer; readonly body?: unknown },
  ): Promise<z.output<typeof acceptedHook>> {
    const body = Buffer.isBuffer(request.body) ? request.body : (request.rawBody ?? Buffer.alloc(0));
    return { runId: await this.hooks.call(token, { headers, query, body }) };
  }
}
